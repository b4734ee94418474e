"""Requests to the site's FHIR servers: the only place where an HTTP client is made."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic

import httpx
import msgspec

from fhir_mappings.versions import DEFAULT, Version, version_of
from service.errors import FhirError, NotFhirError, RefusedError, TimedOutError, UnreachableError
from service.fhir.capability import OFFER, STATEMENT, CapabilityStatement
from service.fhir.credentials import Credentials, showing
from service.fhir.destinations import Destination
from service.fhir.exchange import Reply, exchange
from service.fhir.health import CONNECTIONS, Health
from service.fhir.origin import Base, NotABaseError
from service.fhir.retrying import PASSING, AgainError, retried
from service.fhir.searching import Searching
from service.fhir.transport import PinnedTransport

# HAPI answers a repeated search from a cache for 60 s unless told not to; `no-store` would cut it to one page.
_HEADERS = {
    "Accept": "application/fhir+json",
    "Accept-Encoding": "identity",
    "Cache-Control": "no-cache",
    "User-Agent": "oncohooks",
}
_ASK_AGAIN_SECONDS = 60.0
_NEARLY_ALL = 0.9  # of the time that a server has: the rest of a call's may have gone before the request
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_CANCELLED = "cancelled"
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # the last: JSON that is nested too deep

Measure = Callable[[str, int | str, float], None]  # method, HTTP status or what failed, seconds


def open_http(
    transport: httpx.AsyncBaseTransport | None = None,
    destinations: Iterable[Destination] = (),
    connections: int = CONNECTIONS,
) -> httpx.AsyncClient:
    """The one factory of HTTP clients: no redirect, no proxy or credentials from the environment, no cookie kept.

    It reaches the destinations and nothing else, with at most `connections` to each. Raises OSError where a file of
    certificates cannot be read.
    """
    for name in ("httpx", "httpcore"):  # they log whole addresses, patient id included
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        transport=transport or PinnedTransport(destinations, connections),
        headers=_HEADERS,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a session of one user must not serve the next
        follow_redirects=False,
        trust_env=False,
    )


def unmeasured(_method: str, _outcome: int | str, _seconds: float) -> None:
    """Outside of an app there are no meters."""


class FhirClient:
    """One FHIR server. Every address that it is given is checked to be within the server's base.

    `version` is that of the setting, else R4 until the server has stated another. `health` is shared by all clients of
    one origin. `until` is everywhere a moment of the running loop's `time()` after which no answer is wanted.
    `credentials` are the service's own: with them it may read where a call brings no token, and go on after the call.
    """

    def __init__(
        self,
        base: Base,
        http: httpx.AsyncClient,
        timeout: float,
        body_limit: int,
        version: Version | None = None,
        credentials: Credentials | None = None,
        *,
        health: Health | None = None,
        searching: Searching | None = None,
        measured: Measure = unmeasured,
    ) -> None:
        self.base = base
        self.credentials = credentials
        self.version: Version = version or DEFAULT
        self.knows_version = version is not None
        self.health = health or Health()
        self._asked = -_ASK_AGAIN_SECONDS
        self._learning: asyncio.Task[None] | None = None
        self._offered: frozenset[str] | None = None
        self._http = http
        self._timeout = timeout
        self._limit = body_limit
        self._searching = searching or Searching()
        self._measured = measured

    async def read(self, address: str, token: str = "", until: float = math.inf) -> Reply:
        """GET an address relative to the base, or an absolute one within it, as the holder of `token`.

        Without a token as the service itself, where it has credentials. What may pass is tried again. Raises
        NotAuthorisedError (it got no token of its own), NotFhirError (an address that leads elsewhere, another content
        type, packed in an unknown way), RefusedError (any status but 200), AnswerTooLargeError, TimedOutError,
        UnreachableError.
        """
        return await self._sent(self._request("GET", self._within(address), token), until)

    async def search(self, address: str, token: str = "", until: float = math.inf) -> Reply:
        """The first page of a search, by GET or POST as the server wants it. Raises what `read` raises."""
        url = self._within(address)
        by_post = self._searching.by_post(url)
        try:
            return await self._sent(self._search_request(url, token, by_post=by_post), until)
        except RefusedError as error:
            if not self._searching.turns(url, error.status, by_post=by_post):
                raise
        return await self._sent(self._search_request(url, token, by_post=not by_post), until)

    def supports(self, kind: str) -> bool | None:
        """Whether the server knows this resource type; None as long as it has not said."""
        return None if self._offered is None else kind in self._offered

    async def learn_offer(self) -> None:
        """Read which types the server knows. One that does not answer is asked again in a minute: no call waits.

        A server that refuses, or does not list its types, has said nothing, and every type is asked for.
        """
        while True:
            try:
                reply = await self.read(OFFER)
                self._offered = msgspec.json.decode(reply.body, type=CapabilityStatement).offered
            except (FhirError, *_UNREADABLE) as error:
                if not _may_pass(error):
                    return
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
            else:
                return

    async def learn_version(self, until: float = math.inf) -> Version:
        """The version that the server states, asked for once; one that cannot be had is asked for again in a minute.

        What has not come at `until` serves the next call.
        """
        if self.knows_version:
            return self.version
        if self._learning is None or (self._learning.done() and monotonic() - self._asked >= _ASK_AGAIN_SECONDS):
            self._asked = monotonic()
            self._learning = asyncio.create_task(self._learn_version())
        if not self._learning.done():
            left = None if until == math.inf else max(0.0, until - asyncio.get_running_loop().time())
            await asyncio.wait([self._learning], timeout=left)
        return self.version

    async def close(self) -> None:
        """End what goes on in the background."""
        if self._learning is not None and not self._learning.done():
            self._learning.cancel()
            await asyncio.wait([self._learning])
        if self.credentials is not None:
            await self.credentials.close()

    async def _learn_version(self) -> None:
        stated = await self._stated_version()
        self.version, self.knows_version = stated or self.version, stated is not None

    async def _stated_version(self) -> Version | None:
        try:
            reply = await self.read(STATEMENT)
            return version_of(msgspec.json.decode(reply.body, type=CapabilityStatement).fhirVersion)
        except (FhirError, *_UNREADABLE):
            return None

    async def _sent(self, request: httpx.Request, until: float) -> Reply:
        """With the token that the request has; without one with the service's own, if there are any."""
        if self.credentials is None or "Authorization" in request.headers:
            return await self._tried(request, until)

        async def send(shown: str) -> Reply:
            request.headers["Authorization"] = shown
            return await self._tried(request, until)

        return await showing(self.credentials, send, until)

    async def _tried(self, request: httpx.Request, until: float) -> Reply:
        return await retried(lambda: self._attempt(request, until), self.health.budget, until)

    async def _attempt(self, request: httpx.Request, until: float) -> Reply:
        now = asyncio.get_running_loop().time
        async with self.health.admitted(until) as passage:
            started = now()
            seconds = min(self._timeout, until - started)
            if seconds <= 0:
                raise TimedOutError("no time was left to ask")
            outcome: int | str = _CANCELLED
            try:
                reply = await exchange(self._http, request, seconds, self._limit)
                passage.answered()
                outcome = httpx.codes.OK.value
            except (AgainError, FhirError) as error:
                told = error.told if isinstance(error, AgainError) else error
                passage.judge(told, hurried=seconds < _NEARLY_ALL * self._timeout)
                outcome = told.status if isinstance(told, RefusedError) else told.category.value
                raise
            finally:
                self._measured(request.method, outcome, now() - started)
            return reply

    def _request(self, method: str, url: httpx.URL, token: str, form: bytes | None = None) -> httpx.Request:
        headers = {**_bearer(token), **({} if form is None else _FORM)}
        return self._http.build_request(method, url, headers=headers, content=form, timeout=self._timeout)

    def _search_request(self, url: httpx.URL, token: str, *, by_post: bool) -> httpx.Request:
        if not by_post:
            return self._request("GET", url, token)
        address = self._within(str(url).partition("?")[0].rstrip("/") + "/_search")
        return self._request("POST", address, token, url.query)

    def _within(self, address: str) -> httpx.URL:
        resolved = self.base.resolve(address)
        if resolved is None:
            raise NotFhirError("a link leads away from the server")
        try:
            url = httpx.URL(resolved)
        except httpx.InvalidURL as error:
            raise NotFhirError("a link is no address") from error
        # what connects must have read the address as we did: URL parsers disagree on hostile ones
        if (url.scheme, url.raw_host.decode().strip("[]")) != (self.base.scheme, self.base.host.strip("[]")) or (
            url.port or self.base.default_port
        ) != self.base.port:
            raise NotFhirError("a link leads away from the server")
        return url


def _may_pass(error: Exception) -> bool:
    passing = isinstance(error, RefusedError) and error.status in PASSING
    return passing or isinstance(error, UnreachableError | TimedOutError)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


class FhirServers:
    """The site's list. A server that is not on it has no client, so nothing can be sent to it."""

    def __init__(self, clients: Iterable[FhirClient]) -> None:
        self._clients: Mapping[Base, FhirClient] = {client.base: client for client in clients}

    def __iter__(self) -> Iterator[FhirClient]:
        return iter(self._clients.values())

    async def close(self) -> None:
        """End what their clients do in the background."""
        for client in self:
            await client.close()

    def version_of(self, address: str) -> Version:
        """The version of the server that a request states, as far as it is known."""
        client = self.stated(address)
        return client.version if client else DEFAULT

    def stated(self, address: str) -> FhirClient | None:
        """The client of the server that a request states; None where it is not on the list."""
        try:
            return self._clients.get(Base.parse(address))
        except NotABaseError:
            return None

    async def learn_offers(self) -> None:
        """What the servers offer, read beside the calls. Cancel it when nobody calls any more."""
        async with asyncio.TaskGroup() as group:
            for client in self:
                group.create_task(client.learn_offer())
