"""An issuer of JSON Web Tokens, on loopback over https: its discovery document, its keys, and tokens of any claims.

API Gateway, and the stand-in as well, fetches the keys from the issuer that the tokens name.
"""

import base64
import http.server
import json
import ssl
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUDIENCE = "wallet-functions"


class Issuer:
    """Serves at `url` until it is stopped."""

    def __init__(self, certificate):
        self.key, self.strangers_key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
        self.documents = {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self.documents))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.server, certificate.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/"
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": base64_of(numbers.n), "e": base64_of(numbers.e)}
        self.documents["/.well-known/openid-configuration"] = {"issuer": self.url, "jwks_uri": f"{self.url}keys"}
        self.documents["/keys"] = {"keys": [key]}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def token(self, subject, scope, key=None, **claims):
        """Good for an hour, unless `claims` say otherwise; signed with another `key`, good for nothing."""
        now = int(time.time())
        header = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        payload = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "scope": scope, "iat": now, "exp": now + 3600} | claims
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
        signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def base64_of(number):
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def handler(documents):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802: the name is the library's
            document = documents.get(self.path)
            body = json.dumps(document).encode()
            self.send_response(200 if document else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
