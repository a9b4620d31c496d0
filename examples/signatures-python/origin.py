"""An origin that verifies what arrives.   python3 origin.py CELL"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import signatures
from secret import REQUIRED_OF_MESSAGE, REQUIRED_OF_SIGV4, SECRET


class Origin(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes

    def arrived(self):
        # self.path is no longer what arrived: http.server takes away a slash of two at its start.
        target = self.raw_requestline.decode("latin-1").split(" ")[1]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return signatures.Message(self.command, self.headers["X-Forwarded-Proto"], self.headers["Host"], target, body, self.headers.items())

    def judge(self):
        message = self.arrived()
        refused = ""
        try:
            if message.value("Authorization").startswith("AWS4-HMAC-SHA256"):
                signatures.verify_sigv4(message, lambda _: SECRET, *REQUIRED_OF_SIGV4)
            else:
                signatures.verify_message(message, "sig", lambda _: SECRET.encode(), *REQUIRED_OF_MESSAGE)
        except signatures.Refused as reason:
            refused = str(reason)
        text = json.dumps({"cell": sys.argv[1], "refused": refused, "target": message.target}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = judge

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
print(f"listening 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
