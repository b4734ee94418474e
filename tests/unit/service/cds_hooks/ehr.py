"""An EHR that signs its calls, and one that forges them."""

import base64
import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://ehr.example"
JWKS_URL = "https://ehr.example/.well-known/jwks.json"
PUBLIC_URL = "https://service.example"
NOW = 1_790_000_000.0

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def elliptic(name: str = "ehr") -> ec.EllipticCurvePrivateKey:  # noqa: ARG001 - told apart by the cache
    """The P-384 key of this name."""
    return ec.generate_private_key(ec.SECP384R1())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, bits)


def jwk(key: PrivateKey, kid: str = "k1", **members: Any) -> dict[str, Any]:
    """The public key as a JWK; a member given as None is left out."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        written = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        written = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {
        name: value for name, value in {**written, "kid": kid, "use": "sig", **members}.items() if value is not None
    }


def claims(path: str = "/cds-services", **changed: Any) -> dict[str, Any]:
    """Good claims for a path; a claim given as None is left out."""
    good = {
        "iss": ISSUER,
        "aud": PUBLIC_URL + path,
        "iat": NOW - 5,
        "exp": NOW + 295,
        "jti": f"{time.perf_counter_ns()}",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(
    said: dict[str, Any] | None = None,
    key: Any = None,
    alg: str = "ES384",
    headers: dict[str, Any] | None = None,
) -> str:
    """A signed token; `headers` are added to kid and typ, one given as None is left out."""
    head = {"kid": "k1", **(headers or {})}
    return jwt.encode(claims() if said is None else said, key or elliptic(), alg, head)


def part(written: object) -> str:
    """One part of a token, whatever it holds."""
    raw = written if isinstance(written, bytes) else json.dumps(written).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_by_hand(header: object, payload: object, key: ec.EllipticCurvePrivateKey | None = None) -> str:
    """Any header and payload with a signature that is right: ES384 over just these bytes."""
    text = f"{part(header)}.{part(payload)}"
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA384, ec.SECP384R1).sign(
        text.encode(), key or elliptic()
    )
    return f"{text}.{part(signature)}"
