"""What client and origin agree on: a made-up secret, and what a signature must cover."""

SECRET = "made-up/secret+of+an+example"
REQUIRED_OF_SIGV4 = ("private-token", "x-part")
REQUIRED_OF_MESSAGE = ("@method", "@authority", "@path", "@query", "@target-uri", "@request-target", "content-digest", "authorization", "x-part")
