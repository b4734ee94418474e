"""What is kept of patients for minutes: under names that tell nothing, and sealed.

A name is a keyed hash (HMAC-SHA256) of what it stands for, a value is sealed with AES-256-GCM and bound to its name.
Both keys are derived (HKDF, RFC 5869) from the site's key: where `state.key` is not set, that one lies in the same
store, and sealing protects a dump of the values only.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.state.expiring import ExpiringStore
from service.state.feedback import StateDownError
from service.state.site_key import SiteKey

PATIENCE = 0.05  # seconds that a call waits for what is kept
_AGAIN_SECONDS = 5.0
_NONCE = 12


class SealBrokenError(Exception):
    """A value was not sealed with this key, or not under this name."""


class Vault:
    """An expiring store in front of which everything is named and sealed."""

    def __init__(self, store: ExpiringStore, key: SiteKey, patience: float = PATIENCE) -> None:
        self._store = store
        self._key = key
        self._patience = patience
        self._ask_at = 0.0

    async def get(self, labels: Sequence[bytes]) -> Sequence[bytes | SealBrokenError | None]:
        """What is kept under each label, None where there is nothing.

        Raises StateDownError where the store does not answer within the patience; for five seconds after that at once,
        so that not every call waits for it.
        """
        now = asyncio.get_running_loop().time
        if now() < self._ask_at:
            raise StateDownError
        try:
            async with asyncio.timeout(self._patience):
                names, seal = _keys(await self._key.known())
                stored = [_name(names, label) for label in labels]
                found = await self._store.get(*stored)
        except (StateDownError, TimeoutError) as error:
            self._ask_at = now() + _AGAIN_SECONDS
            raise StateDownError from error
        pairs = zip(stored, found, strict=True)
        return [None if value is None else _opened(seal, name, value) for name, value in pairs]

    async def put(self, label: bytes, value: bytes, seconds: int) -> None:
        """Keep a value for so long. Raises StateDownError."""
        names, seal = _keys(await self._key.known())
        name, nonce = _name(names, label), secrets.token_bytes(_NONCE)
        await self._store.put(name, nonce + seal.encrypt(nonce, value, name.encode()), seconds)

    async def close(self) -> None:
        await self._store.close()


def _opened(seal: AESGCM, name: str, value: bytes) -> bytes | SealBrokenError:
    try:
        return seal.decrypt(value[:_NONCE], value[_NONCE:], name.encode())
    except (InvalidTag, ValueError):  # ValueError: too short to be one of ours
        return SealBrokenError()


def _name(key: bytes, label: bytes) -> str:
    return hmac.digest(key, label, hashlib.sha256).hex()


@cache
def _keys(site_key: bytes) -> tuple[bytes, AESGCM]:
    """Of names, and of values."""
    return _derived(site_key, b"oncohooks: names of the cache"), AESGCM(
        _derived(site_key, b"oncohooks: values of the cache")
    )


def _derived(site_key: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=use).derive(site_key)
