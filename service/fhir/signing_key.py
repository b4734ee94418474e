"""The private keys that the service signs with at token endpoints, and their public halves (RFC 7517, 7638).

A message names the setting and what is wrong, never a key.
"""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey
Algorithm = Literal["ES384", "RS384"]

_SETTING = "[fhir.backend] key_file"
_LARGEST = 256 * 1024
_SMALLEST_RSA_BITS = 2_048
_FILES = frozenset({".pem", ".key", ".json", ".jwk", ".jwks"})  # of a folder
_OF_THUMBPRINT = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}


class SigningKeyError(Exception):
    """There is no key that may sign. The message names the setting."""


class SigningKey(msgspec.Struct, frozen=True):
    """One private key. `repr` hides it."""

    kid: str
    algorithm: Algorithm
    private: PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"

    @property
    def public(self) -> dict[str, Any]:
        """The JWK to register at the server."""
        return {**_public_parts(self.private), "kid": self.kid, "alg": self.algorithm, "use": "sig"}


class _Written(msgspec.Struct):
    """A JWK or a JWKS."""

    keys: list[dict[str, Any]] | None = None


def read_keys(place: Path) -> tuple[SigningKey, ...]:
    """All keys of a file, or of a folder's files in the order of their names. Raises SigningKeyError."""
    try:
        files = sorted(f for f in place.iterdir() if f.suffix in _FILES) if place.is_dir() else [place]
        found = [key for file in files for key in _named(file)]
    except OSError as error:
        raise SigningKeyError(f"{_SETTING}: cannot be read ({error.strerror or type(error).__name__})") from None
    if not found:
        raise SigningKeyError(f"{_SETTING}: there is no key in it")
    return tuple(found)


def signing_key(keys: Sequence[SigningKey], kid: str) -> SigningKey:
    """The key that signs: the one of this id; without an id the last.

    A single key takes the id that is set: it is the one under which the server knows it. Raises SigningKeyError.
    """
    if kid and len(keys) == 1:
        return msgspec.structs.replace(keys[0], kid=kid)
    named = [key for key in keys if key.kid == kid] if kid else keys[-1:]
    if not named:
        raise SigningKeyError("[fhir.backend] kid: no key of key_file has this id")
    return named[0]


def _named(file: Path) -> list[SigningKey]:
    """Its keys; what is wrong with it is told with its name."""
    try:
        return _keys_of(file)
    except SigningKeyError as error:
        raise SigningKeyError(f"{error} ({file.name})") from None


def _keys_of(file: Path) -> list[SigningKey]:
    with file.open("rb") as opened:
        body = opened.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise SigningKeyError(f"{_SETTING}: too large to be a key")
    if not body.lstrip().startswith(b"{"):
        return [_signing(_from_pem(body), "")]
    try:
        keys = msgspec.json.decode(body, type=_Written).keys
        written = [msgspec.json.decode(body, type=dict[str, Any])] if keys is None else keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise SigningKeyError(f"{_SETTING}: neither PEM nor JWK") from None
    return [_signing(_from_jwk(one), one.get("kid")) for one in written]


def _from_pem(body: bytes) -> object:
    try:
        return load_pem_private_key(body, password=None)
    except TypeError:
        raise SigningKeyError(f"{_SETTING}: the key is locked by a password; store it without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SigningKeyError(f"{_SETTING}: no private key in PEM") from None


def _from_jwk(written: dict[str, Any]) -> object:
    algorithm = {"EC": "ES384", "RSA": "RS384"}.get(str(written.get("kty")))
    if algorithm is None or "d" not in written:
        raise SigningKeyError(f"{_SETTING}: a JWK in it is no private key of kind EC or RSA")
    try:
        return jwt.PyJWK(written, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise SigningKeyError(f"{_SETTING}: a JWK in it cannot be read") from None


def _signing(key: object, kid: object) -> SigningKey:
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1):
        algorithm: Algorithm = "ES384"
    elif isinstance(key, RSAPrivateKey) and key.key_size >= _SMALLEST_RSA_BITS:
        algorithm = "RS384"
    else:
        raise SigningKeyError(f"{_SETTING}: a key must be P-384, or RSA of at least {_SMALLEST_RSA_BITS} bits")
    return SigningKey(kid if isinstance(kid, str) and kid else _thumbprint(key), algorithm, key)


def _public_parts(key: PrivateKey) -> dict[str, Any]:
    if isinstance(key, EllipticCurvePrivateKey):
        return jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)


def _thumbprint(key: PrivateKey) -> str:
    """RFC 7638: the id that anyone computes of the same key."""
    parts = _public_parts(key)
    text = msgspec.json.encode({name: parts[name] for name in _OF_THUMBPRINT[parts["kty"]]})
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
