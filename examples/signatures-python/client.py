"""Signs for the facade, sends through the edge, and expects the origin's consent.

    python3 client.py EDGE_HTTP EDGE_HTTPS CA_FILE CREDENTIAL
"""

import copy
import http.client
import json
import socket
import ssl
import sys
import time

import signatures
from secret import REQUIRED_OF_MESSAGE, SECRET

PLAIN, SECURE, CA_FILE, CREDENTIAL = sys.argv[1:]
FACADE = "api.homeward.test"
TARGETS = [
    "/",
    "/orders?a=1;b=2;c",
    "/orders?broken=%zz&half=%2&none=%",
    "/path%zz/%/here%2",
    "/a%2Fb%2fc/d%20e",
    "/orders?plus=a+b&space=a%20b&slash=/&question=?&colon=:&at=@",
    "/orders?empty=&=nameless&&novalue",
    "/orders?same=1&same=2&same=1&Same=0",
    "/caf%C3%A9/%E2%82%AC?name=J%C3%BCrgen&lower=%c3%bc",
    "/two//slashes///here",
    "//starts/with/two",
    "/dots/./and/../more/..?up=../..",
    "/dots/%2e%2E/encoded",
    "/ends/with/question?",
    "/marks/!$&'()*+,;=:@-._~|^`{}[]\"<>\\?q=|^`{}[]\"<>\\",
]
BODIES = [("GET", b""), ("POST", '{"name": "Jürgen", "sum": "10 €"}\r\n'.encode()), ("PUT", b"a=%zz&b=c+d\x00\xff")]


def sigv4(message):
    message.fields.append(("PRIVATE-TOKEN", CREDENTIAL))  # Authorization is the signature's
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    signatures.sign_sigv4(message, signatures.Scope("AKIDMADEUP", SECRET, date, "eu-central-1", "example"), "PRIVATE-TOKEN", "X-Part")


def rfc9421(message):
    message.fields.append(("Authorization", "Bearer " + CREDENTIAL))
    message.fields.append(("Content-Digest", signatures.content_digest(message.body)))
    signatures.sign_message(message, "shared", SECRET.encode(), int(time.time()), *REQUIRED_OF_MESSAGE)


def connect(scheme):
    """A connection to the edge, for http.client to write requests to as they are."""
    address, port = (SECURE if scheme == "https" else PLAIN).split(":")
    sock = socket.create_connection((address, int(port)), timeout=60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as http.client does on its own connections
    if scheme == "https":
        sock = ssl.create_default_context(cafile=CA_FILE).wrap_socket(sock, server_hostname=FACADE)
    connection = http.client.HTTPConnection(FACADE)
    connection.sock = sock
    return connection


def send(connection, message):
    connection.putrequest(message.method, message.target, skip_host=True, skip_accept_encoding=True)
    for name, value in [("Host", message.host), *message.fields, ("Content-Length", str(len(message.body)))]:
        connection.putheader(name, value)
    connection.endheaders(message.body)
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        sys.exit(f"{message.method} {message.target}: {response.status} {text}")
    return json.loads(text)


def request(scheme, host, method, target, body):
    return signatures.Message(method, scheme, host, target, body, [("X-Part", "one, two"), ("X-Part", "three")])


def accepted(label, scheme, host):
    connection, count = connect(scheme), 0
    for sign in (sigv4, rfc9421):
        for target in TARGETS:
            for method, body in BODIES:
                message = request(scheme, host, method, target, body)
                sign(message)
                verdict = send(connection, message)
                if verdict != {"cell": "eu1", "refused": "", "target": target}:
                    sys.exit(f"{sign.__name__} of {method} {target}: {verdict}")
                count += 1
    print(f"  {label}, Host {host}: {count} accepted by eu1: {len(TARGETS)} targets, SigV4 and RFC 9421")


CHANGES = {
    "a byte of the body": lambda m: setattr(m, "body", b"Body"),
    "the method": lambda m: setattr(m, "method", "PUT"),
    "the host": lambda m: setattr(m, "host", "localhost"),
    "one slash": lambda m: setattr(m, "target", m.target.replace("//", "/")),
    "the case of an escape in the path": lambda m: setattr(m, "target", m.target.replace("%2F", "%2f")),
    "a plus for a space": lambda m: setattr(m, "target", m.target.replace("a+b", "a%20b")),
    "the order of a repeated field": lambda m: m.fields.insert(0, m.fields.pop(1)),
}


def refused():
    connection, count = connect("http"), 0
    for sign in (sigv4, rfc9421):
        signed = request("http", FACADE, "POST", "/x//y%2Fz?q=a+b;c", b"body")
        sign(signed)
        if send(connection, signed)["refused"]:
            sys.exit(f"{sign.__name__}: the request to be changed is refused")
        for what, change in CHANGES.items():
            message = copy.deepcopy(signed)
            change(message)
            if not send(connection, message)["refused"]:
                sys.exit(f"{sign.__name__} accepts a request after another change: {what}")
            count += 1
    print(f"  changed after signing: {count} refused")


accepted("HTTP/1.1", "http", FACADE)
accepted("HTTP/1.1 to an address with a port", "http", PLAIN)
accepted("HTTP/1.1 over TLS", "https", FACADE)
refused()
