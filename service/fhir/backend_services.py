"""The life of the service's own access token on one FHIR server (SMART App Launch 2.2, Backend Services).

There is no refresh token: a new one is asked for when four fifths of the old one's life are over, beside the calls, by
the next call that comes then. However many calls wait, one request is on its way.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import httpx
import msgspec

from service.errors import NotAuthorisedError, TimedOutError
from service.fhir.access_token import AccessToken, assertion, request_token
from service.fhir.origin import Base
from service.fhir.scopes import asked, cover_of
from service.fhir.signing_key import SigningKeyError, read_keys, signing_key
from service.fhir.smart_configuration import SmartConfiguration, discover, trusted_endpoint
from service.fhir_settings import Backend

RENEWED_AT = 0.8  # of its life
PAUSE_SECONDS = 5.0  # after a failure, and between a token and the next one: a server that says no is not beleaguered
_KNOWN_SECONDS = 3_600.0  # how long a smart-configuration counts

_logger = logging.getLogger(__name__)


class _Held(msgspec.Struct, frozen=True):
    """A token and, on our clock, when it came, when it is to be renewed and when it ends."""

    token: AccessToken
    since: float
    renewed: float
    ends: float

    @property
    def header(self) -> str:
        return f"Bearer {self.token.text}"


class BackendServices:
    """Our registration at one server, to read `kinds`. `clock` tells lives, `wall` is the time that is signed."""

    def __init__(
        self,
        base: Base,
        http: httpx.AsyncClient,
        registered: Backend,
        timeout: float,
        kinds: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._base = base
        self._http = http
        self._registered = registered
        self._timeout = timeout
        self._kinds = kinds
        self._clock = clock
        self._wall = wall
        self._held: _Held | None = None
        self._asking: asyncio.Task[None] | None = None
        self._failed: tuple[float, NotAuthorisedError] | None = None
        self._configuration: tuple[float, SmartConfiguration] | None = None
        self.scope: str | None = None

    async def header(self, until: float) -> str:
        """The value of Authorization. Raises NotAuthorisedError (there is no token), TimedOutError (not in time)."""
        held, now = self._held, self._clock()
        if held is None or now >= held.ends:
            self._held = None
            return (await self._new(until)).header
        if now >= held.renewed:
            self._ask()
        return held.header

    async def token(self) -> AccessToken:
        """The token itself, of which `check` tells scope and life. Raises NotAuthorisedError."""
        await self.header(math.inf)
        assert self._held is not None  # noqa: S101 - `header` raises where there is none
        return self._held.token

    def refused(self, header: str) -> None:
        """Drop a token that the server does not take, unless it has just come: then another would fare no better."""
        held = self._held
        if held is not None and header == held.header and self._clock() - held.since >= PAUSE_SECONDS:
            self._held = None

    def may_read(self, kind: str) -> bool:
        return self.scope is None or cover_of(self.scope, kind) != "none"

    def reads_part_of(self, kind: str) -> bool:
        return self.scope is not None and cover_of(self.scope, kind) == "part"

    def start(self) -> None:
        """Ask for the first token, so that the first call does not wait for it."""
        self._ask()

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking

    async def endpoint(self) -> str:
        """Where tokens are asked for. Raises NotAuthorisedError."""
        return self._registered.token_url or trusted_endpoint(await self._discovered(), self._base)

    async def _new(self, until: float) -> _Held:
        asking = self._ask()
        if asking is not None:
            patience = None if until == math.inf else max(0.0, until - asyncio.get_running_loop().time())
            try:
                await asyncio.wait_for(asyncio.shield(asking), patience)  # the others wait on when this one gives up
            except TimeoutError as error:
                raise TimedOutError("no token in time") from error
        if self._held is not None:
            return self._held
        assert self._failed is not None  # noqa: S101 - an asking ends in a token or a failure
        why = self._failed[1]
        raise NotAuthorisedError(str(why), unreachable=why.unreachable) from why

    def _ask(self) -> asyncio.Task[None] | None:
        """The asking that is on its way, else a new one; None shortly after one that failed."""
        if self._asking is None or self._asking.done():
            if self._failed is not None and self._clock() - self._failed[0] < PAUSE_SECONDS:
                return None
            self._asking = asyncio.create_task(self._asked())
        return self._asking

    async def _asked(self) -> None:
        try:
            held = await self._from_server()
        except NotAuthorisedError as error:
            self._failed = self._clock(), error
            self._configuration = None  # the endpoint may have moved
            _logger.warning("no token for %s: %s", self._base.url, error)
        else:
            self._held, self._failed, self.scope = held, None, held.token.scope

    async def _from_server(self) -> _Held:
        token_url, scope = await self.endpoint(), await self._scope()
        signed = await asyncio.to_thread(self._signed, token_url)  # keys are read anew, and RSA takes its time
        since = self._clock()  # the life that the answer states began before it came
        token = await request_token(self._http, token_url, signed, scope, self._timeout)
        return _Held(token, since, since + RENEWED_AT * token.seconds, since + token.seconds)

    def _signed(self, token_url: str) -> str:
        try:
            key = signing_key(read_keys(self._registered.key_file), self._registered.kid)
        except SigningKeyError as error:
            raise NotAuthorisedError(str(error)) from error
        return assertion(key, self._registered.client_id, token_url, self._wall())

    async def _scope(self) -> str:
        if self._registered.scopes:
            return " ".join(self._registered.scopes)
        try:
            return asked((await self._discovered()).style, self._kinds)
        except NotAuthorisedError:  # with a token_url that is set, nothing depends on the document
            return asked("v2", self._kinds)

    async def _discovered(self) -> SmartConfiguration:
        known = self._configuration
        if known is None or self._clock() - known[0] >= _KNOWN_SECONDS:
            known = self._clock(), await discover(self._http, self._base, self._timeout)
            self._configuration = known
        return known[1]
