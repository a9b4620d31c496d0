"""AWS Signature Version 4, and HTTP Message Signatures (RFC 9421, hmac-sha256)
with Content-Digest (RFC 9530), over the standard library."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes


@dataclass
class Message:
    """A request as far as signatures cover it: what is about to be sent, or what arrived."""

    method: str
    scheme: str
    host: str
    target: str  # request-target in origin form, to the byte
    body: bytes = b""
    fields: list = field(default_factory=list)  # (name, value), in order

    def values(self, name):
        return [value.strip() for key, value in self.fields if key.lower() == name.lower()]

    def value(self, name):
        return ", ".join(self.values(name))

    def split(self):
        path, _, query = self.target.partition("?")
        return path, query


class Refused(Exception):
    """Says why a signature does not hold."""


# --- AWS Signature Version 4, in the Authorization header


@dataclass
class Scope:
    key_id: str
    secret: str
    date: str  # yyyymmddThhmmssZ
    region: str
    service: str

    def signature(self, message, names):
        day = self.date[:8]
        scope = f"{day}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical(message, names).encode("latin-1")).hexdigest()
        key = ("AWS4" + self.secret).encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.new(key, f"AWS4-HMAC-SHA256\n{self.date}\n{scope}\n{digest}".encode(), "sha256").hexdigest()


def sign_sigv4(message, scope, *headers):
    """Adds X-Amz-Date and Authorization over the headers named, Host, and X-Amz-Date."""
    message.fields.append(("X-Amz-Date", scope.date))
    names = sorted({"host", "x-amz-date", *(name.lower() for name in headers)})
    credential = f"{scope.key_id}/{scope.date[:8]}/{scope.region}/{scope.service}/aws4_request"
    signature = scope.signature(message, names)
    message.fields.append(("Authorization", f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={';'.join(names)}, Signature={signature}"))


def verify_sigv4(message, secret_of, *required):
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
        message.value("Authorization"),
    )
    date = message.value("X-Amz-Date")
    if not found or not date.startswith(found[2] + "T"):
        raise Refused("no credential scope for this date")
    names = found[5].split(";")
    if missing := {"host", "x-amz-date", *required} - set(names):
        raise Refused(f"not signed: {missing}")
    scope = Scope(found[1], secret_of(found[1]), date, found[3], found[4])
    if not hmac.compare_digest(scope.signature(message, names), found[6]):
        raise Refused("the signature is of another request")


def canonical(message, names):
    """The canonical request. The path is encoded once more as it was sent; dot
    segments and repeated slashes stay, as for Amazon S3."""
    path, query = message.split()
    lines = [message.method, quote(path.encode("latin-1"), safe="/-._~"), canonical_query(query)]
    for name in names:
        values = [message.host] if name == "host" else message.values(name)
        lines.append(name + ":" + ",".join(" ".join(value.split()) for value in values))
    return "\n".join([*lines, "", ";".join(names), hashlib.sha256(message.body).hexdigest()])


def canonical_query(query):
    """The parameters sorted, each decoded and encoded in the one way that AWS knows."""
    if not query:
        return ""
    pairs = []
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        pairs.append(tuple(quote(unquote_to_bytes(part), safe="-._~") for part in (name, value)))
    return "&".join("=".join(pair) for pair in sorted(pairs))


# --- HTTP Message Signatures, one signature of a shared key


def content_digest(body):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"


def sign_message(message, key_id, secret, created, *components):
    """Adds Signature-Input and Signature, labelled sig, over the components. created is in Unix seconds."""
    covered = " ".join(f'"{name}"' for name in components)
    params = f'({covered});created={created};keyid="{key_id}";alg="hmac-sha256"'
    signature = hmac.digest(secret, signature_base(message, components, params), "sha256")
    message.fields.append(("Signature-Input", "sig=" + params))
    message.fields.append(("Signature", "sig=:" + base64.b64encode(signature).decode() + ":"))


def verify_message(message, label, secret_of, *required):
    found = re.fullmatch(re.escape(label) + r'=(\(([^)]*)\);.*keyid="([^"]+)".*)', message.value("Signature-Input"))
    given = re.fullmatch(re.escape(label) + r"=:([A-Za-z0-9+/=]+):", message.value("Signature"))
    if not found or not given:
        raise Refused("no signature of this label")
    components = [quoted.strip('"') for quoted in found[2].split()]
    if missing := set(required) - set(components):
        raise Refused(f"not covered: {missing}")
    expected = hmac.digest(secret_of(found[3]), signature_base(message, components, found[1]), "sha256")
    if not hmac.compare_digest(expected, base64.b64decode(given[1])):
        raise Refused("the signature is of another request")
    if "content-digest" in components and message.value("Content-Digest") != content_digest(message.body):
        raise Refused("Content-Digest is of another body")


def signature_base(message, components, params):
    """What is signed: a line for each component, and the parameters (section 2.5)."""
    lines = [f'"{name}": {component(message, name)}' for name in components]
    return "\n".join([*lines, f'"@signature-params": {params}']).encode("latin-1")


def component(message, name):
    """A derived component (section 2.2), or a field whose lines are joined (section 2.1)."""
    path, query = message.split()
    authority = message.host.lower().removesuffix({"http": ":80", "https": ":443"}[message.scheme])
    derived = {
        "@method": message.method,
        "@scheme": message.scheme,
        "@authority": authority,
        "@target-uri": f"{message.scheme}://{authority}{message.target}",
        "@request-target": message.target,
        "@path": path,
        "@query": "?" + query,
    }
    if name in derived:
        return derived[name]
    if not message.values(name):
        raise Refused(f"the request has no {name}")
    return message.value(name)
