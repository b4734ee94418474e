"""The public keys of the registered clients, from their registered addresses and from nowhere else (RFC 7517).

Fetched when first needed, kept, and looked at again in the background, so that a key can be exchanged without a restart
and no call waits for it. An unknown key id may cause one fetch a minute, not more: a forger must not make us knock.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt
import msgspec

from service.cds_hooks.client_token import ALGORITHMS

FRESH_SECONDS = 600.0  # after this the set is fetched again, beside the calls
STALE_SECONDS = 3_600.0  # after this no call is admitted by it
_PAUSE_SECONDS = 60.0
_LARGEST = 256 * 1024
_FETCH_SECONDS = 5.0
_KINDS = {"ES384": ("EC", "P-384"), "RS384": ("RSA", None)}
_SMALLEST_RSA_BITS = 2_048

Keys = Mapping[tuple[str, str], jwt.PyJWK]  # (key id, algorithm)


class KeysUnavailableError(Exception):
    """The client's key set could not be read, and there is none that may still be used."""


class KeySet:
    """The keys of one client."""

    def __init__(self, url: str, http: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._http = http
        self._clock = clock
        self._keys: Keys = {}
        self._read_at = -float("inf")
        self._tried_at = -float("inf")
        self._fetching = asyncio.Lock()
        self._beside: asyncio.Task[None] | None = None

    async def key(self, kid: str, algorithm: str) -> jwt.PyJWK | None:
        """The key of this id for this algorithm; None where the client has none.

        Raises KeysUnavailableError.
        """
        age = self._clock() - self._read_at
        if age > STALE_SECONDS or ((kid, algorithm) not in self._keys and self._may_try()):
            await self._renew()
        elif age > FRESH_SECONDS and self._may_try():
            self._beside = asyncio.create_task(self._renew())
        if self._clock() - self._read_at > STALE_SECONDS:
            raise KeysUnavailableError
        return self._keys.get((kid, algorithm))

    async def usable(self) -> int:
        """How many keys the client has. Raises KeysUnavailableError."""
        await self.key("", "")
        return len(self._keys)

    def _may_try(self) -> bool:
        return self._clock() - self._tried_at >= _PAUSE_SECONDS

    async def _renew(self) -> None:
        async with self._fetching:
            if not self._may_try():
                return  # somebody else has just done it
            self._tried_at = self._clock()
            try:
                self._keys = keys_of(await self._fetch())
            except (httpx.HTTPError, TimeoutError, ValueError):
                return  # those we have serve until they are stale
            self._read_at = self._clock()

    async def _fetch(self) -> bytes:
        """The body of a 200 answer. Raises httpx.HTTPError, TimeoutError, ValueError (status, size)."""
        body = b""
        async with (
            asyncio.timeout(_FETCH_SECONDS),
            self._http.stream("GET", self._url, headers={"Accept": "application/json"}) as response,
        ):
            packed = response.headers.get("content-encoding", "identity").lower() not in {"identity", ""}
            if response.status_code != httpx.codes.OK or packed:
                raise ValueError("no plain answer")
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    raise ValueError("too large for a key set")
        return body


class _Set(msgspec.Struct):
    keys: list[dict[str, Any]]


def keys_of(body: bytes) -> Keys:
    """The keys of a JWKS that may sign; one that we cannot use, or that is private, does not stand in the others' way.

    Raises ValueError where the body is no key set.
    """
    found: dict[tuple[str, str], jwt.PyJWK] = {}
    for written in msgspec.json.decode(body, type=_Set).keys:
        for algorithm in ALGORITHMS:
            key = _usable(written, algorithm)
            if key is not None:
                found.setdefault((written["kid"], algorithm), key)
    return found


def _usable(written: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    kind, curve = _KINDS[algorithm]
    is_for_us = (
        isinstance(written.get("kid"), str)
        and written.get("kty") == kind
        and (curve is None or written.get("crv") == curve)
        and written.get("alg", algorithm) == algorithm
        and written.get("use", "sig") == "sig"
        and "d" not in written  # a private key is not a secret any more once it is published
    )
    if not is_for_us:
        return None
    try:
        key = jwt.PyJWK(written, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if kind == "EC" or key.key.key_size >= _SMALLEST_RSA_BITS else None
