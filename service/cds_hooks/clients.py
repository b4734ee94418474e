"""The register of clients: who may call at all."""

import time
from collections.abc import Callable, Iterable, Mapping

import httpx

from service.cds_hooks.client_keys import KeySet, KeysUnavailableError
from service.cds_hooks.client_token import (
    SKEW_SECONDS,
    Client,
    NotAdmittedError,
    Reason,
    Token,
    check_claims,
    check_client,
    check_signature,
    read,
)
from service.state.replay import Replay, ReplayDownError

_SCHEME = "bearer "


class Register:
    """The clients of site.toml with their keys, and the memory of the tokens they have used."""

    def __init__(
        self,
        clients: Iterable[Client],
        http: httpx.AsyncClient,
        replay: Replay,
        public_url: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clients: Mapping[str, tuple[Client, KeySet]] = {
            client.issuer: (client, KeySet(client.jwks_url, http)) for client in clients
        }
        self._replay = replay
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    async def admit(self, authorization: str, path: str) -> Client:
        """The client whose token this is, if it is good for this path now and was never used before.

        `authorization` is the header as sent, `path` the called one. Raises NotAdmittedError.
        """
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise NotAdmittedError(Reason.NO_TOKEN)
        token = read(authorization[len(_SCHEME) :])
        known = self._clients.get(token.claims.iss)
        if known is None:
            raise NotAdmittedError(Reason.ISSUER)
        client, keys = known
        check_client(token, client)
        check_claims(token.claims, client, self._public_url + path, self._clock())  # before any key is fetched
        await _verify(token, keys)
        await self._use(token)
        return client

    async def _use(self, token: Token) -> None:
        claims = token.claims
        try:
            first = await self._replay.first_use(claims.iss, claims.jti, claims.exp + SKEW_SECONDS - self._clock())
        except ReplayDownError as error:
            raise NotAdmittedError(Reason.MEMORY_DOWN) from error
        if not first:
            raise NotAdmittedError(Reason.REPLAYED)


async def _verify(token: Token, keys: KeySet) -> None:
    try:
        key = await keys.key(token.header.kid, token.header.alg)
    except KeysUnavailableError as error:
        raise NotAdmittedError(Reason.KEYS_UNAVAILABLE) from error
    if key is None:
        raise NotAdmittedError(Reason.KEY)
    check_signature(token, key)
