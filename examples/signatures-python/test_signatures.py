"""Published vectors: AWS's test suite for Signature Version 4, and RFC 9421 section B.2.5."""

import base64
import unittest

import signatures
from signatures import Message, Refused, Scope

KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830T123600Z", "us-east-1", "service")
SIGV4 = {
    "get-vanilla": ("GET", "/", [], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-vanilla-query-order-key-case": (
        "GET", "/?Param2=value2&Param1=value1", [], "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-header-key-duplicate": (
        "GET", "/", [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    "post-vanilla": ("POST", "/", [], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
}


class Published(unittest.TestCase):
    def test_sigv4(self):
        for name, (method, target, fields, want) in SIGV4.items():
            with self.subTest(name):
                message = Message(method, "https", "example.amazonaws.com", target, fields=list(fields))
                signatures.sign_sigv4(message, Scope(*KEY), *(key for key, _ in fields))
                self.assertEqual(message.value("Authorization")[-64:], want)
                signatures.verify_sigv4(message, lambda _: KEY[1])
                with self.assertRaises(Refused):
                    signatures.verify_sigv4(message, lambda _: KEY[1] + "x")
                print("  AWS", name)

    def test_message_signatures(self):
        secret = base64.b64decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
        message = Message("POST", "https", "example.com", "/foo?param=Value&Pet=dog", b'{"hello": "world"}', [
            ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("Content-Type", "application/json"),
            ("Signature-Input", 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'),
            ("Signature", "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"),
        ])
        signatures.verify_message(message, "sig-b25", lambda _: secret)
        message.fields[0] = ("Date", "Tue, 20 Apr 2021 02:07:56 GMT")
        with self.assertRaises(Refused):
            signatures.verify_message(message, "sig-b25", lambda _: secret)
        print("  RFC 9421 B.2.5")

    def test_components(self):
        message = Message("POST", "https", "www.Example.com:443", "/path?a=b&c", fields=[("X-Obs", " one "), ("x-obs", "two")])
        for name, want in {"@authority": "www.example.com", "@path": "/path", "@query": "?a=b&c", "x-obs": "one, two",
                           "@target-uri": "https://www.example.com/path?a=b&c", "@request-target": "/path?a=b&c"}.items():
            self.assertEqual(signatures.component(message, name), want)


if __name__ == "__main__":
    unittest.main(verbosity=0)
