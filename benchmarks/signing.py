"""An EHR of the benchmarks: a key pair, its key set over HTTP, and as many tokens as there are calls."""

import contextlib
import http.server
import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "https://ehr.example"
_KID = "benchmark"


class SigningEhr:
    """ES384, as CDS Hooks recommends."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP384R1())
        self._public = self._key.public_key()

    @property
    def public_key(self) -> dict[str, str]:
        """As a JSON Web Key."""
        return {**jwt.algorithms.ECAlgorithm.to_jwk(self._public, as_dict=True), "kid": _KID, "use": "sig"}

    @contextlib.contextmanager
    def key_set(self) -> Iterator[str]:
        """The address of the public keys, served while it is needed."""
        body = json.dumps({"keys": [self.public_key]}).encode()

        class Keys(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/keys"
            server.shutdown()

    def tokens(self, address: str, count: int) -> list[str]:
        """Tokens for the exact address, each good once for a quarter of an hour."""
        now = int(time.time())
        said = {"iss": ISSUER, "aud": address, "iat": now, "exp": now + 900}
        return [
            jwt.encode({**said, "jti": str(uuid.uuid4())}, self._key, "ES384", headers={"kid": _KID})
            for _ in range(count)
        ]

    def verify(self, token: str) -> None:
        """Only the signature: what no check of such a token can do without. Raises InvalidSignature."""
        signed, _, written = token.rpartition(".")
        raw = jwt.utils.base64url_decode(written)
        signature = jwt.utils.raw_to_der_signature(raw, ec.SECP384R1())
        self._public.verify(signature, signed.encode(), ec.ECDSA(hashes.SHA384()))


def site_of(folder: Path, jwks_url: str, public_url: str) -> Path:
    """A site folder that knows this EHR."""
    (folder / "site.toml").write_text(
        f'public_url = "{public_url}"\n[[client]]\nissuer = "{ISSUER}"\njwks_url = "{jwks_url}"\n', encoding="utf-8"
    )
    return folder
