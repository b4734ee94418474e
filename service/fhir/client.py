"""Requests to the site's FHIR servers: the only place where an HTTP client is made.

The server is trusted with the patient, not with us: what it answers is bounded, never redirected, never unpacked.
"""

import asyncio
import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic

import httpx
import msgspec

from fhir_mappings.versions import DEFAULT, Version, version_of
from service.errors import (
    AnswerTooLargeError,
    FhirError,
    NotFhirError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)
from service.fhir.credentials import Credentials
from service.fhir.origin import Base, NotABaseError

# HAPI answers a repeated search from a cache for 60 s unless told not to; `no-store` would cut it to one page.
# An unpacked answer cannot be bounded with httpx 0.28 (316 bytes of brotli become one chunk of 200 MB): ask for plain.
_HEADERS = {
    "Accept": "application/fhir+json",
    "Accept-Encoding": "identity",
    "Cache-Control": "no-cache",
    "User-Agent": "oncohooks",
}
STATEMENT = "metadata?_elements=fhirVersion,software"  # the whole statement of a HAPI server is 1.5 MB
_ASK_AGAIN_SECONDS = 60.0
_JSON = frozenset({"application/fhir+json", "application/json", "application/json+fhir", ""})


def open_http(transport: httpx.AsyncBaseTransport | None = None, connections: int = 100) -> httpx.AsyncClient:
    """The one factory of HTTP clients: no redirect, no proxy or credentials from the environment, no cookie kept."""
    for name in ("httpx", "httpcore"):  # they log whole addresses, patient id included
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        transport=transport,
        headers=_HEADERS,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a session of one user must not serve the next
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )


class Reply(msgspec.Struct, frozen=True):
    """A 200 answer. `date` is the server's own clock as it states it."""

    body: bytes
    date: str = ""


class Software(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""


class CapabilityStatement(msgspec.Struct, frozen=True, tag_field="resourceType", tag="CapabilityStatement"):
    """What a server says of itself, as far as we ask."""

    fhirVersion: str = ""  # noqa: N815
    software: Software = Software()


class FhirClient:
    """One FHIR server. Every address that it is given is checked to be within the server's base.

    `version` is that of the setting, else R4 until the server has stated another. `credentials` are the service's own:
    with them it may read where a call brings no token, and go on after the call.
    """

    def __init__(
        self,
        base: Base,
        http: httpx.AsyncClient,
        timeout: float,
        body_limit: int,
        version: Version | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self.base = base
        self.credentials = credentials
        self.version: Version = version or DEFAULT
        self.knows_version = version is not None
        self._asked = -_ASK_AGAIN_SECONDS
        self._asking = asyncio.Lock()
        self._http = http
        self._timeout = timeout
        self._limit = body_limit

    async def read(self, address: str, token: str = "") -> Reply:
        """GET an address relative to the base, or an absolute one within it, as the holder of `token`.

        Without a token as the service itself, where it has credentials. Raises NotAuthorisedError (it got no token of
        its own), NotFhirError (an address that leads elsewhere, another content type, packed content), RefusedError
        (any status but 200), AnswerTooLargeError, TimedOutError, UnreachableError.
        """
        url = self._within(address)
        if token or self.credentials is None:
            return await self._get(url, _bearer(token))
        return await self._get_as_itself(url, self.credentials)

    async def _get_as_itself(self, url: httpx.URL, own: Credentials, until: float = math.inf) -> Reply:
        """With the service's own authority; after a 401 once more, if there is another token to show."""
        shown = await own.header(until)
        try:
            return await self._get(url, {"Authorization": shown})
        except RefusedError as error:
            if error.status != httpx.codes.UNAUTHORIZED:
                raise
            own.refused(shown)
            again = await own.header(until)
            if again == shown:
                raise
        return await self._get(url, {"Authorization": again})

    async def _get(self, url: httpx.URL, headers: Mapping[str, str]) -> Reply:
        try:
            async with self._http.stream("GET", url, headers=headers, timeout=self._timeout) as response:
                _expect_fhir(response)
                return Reply(await self._body(response), response.headers.get("date", ""))
        except httpx.TimeoutException as error:
            raise TimedOutError(f"no answer within {self._timeout:g} s") from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise UnreachableError(type(error).__name__) from error

    async def learn_version(self) -> Version:
        """The version that the server states, asked for once; one that cannot be had is asked for again in a minute."""
        async with self._asking:
            if not self.knows_version and monotonic() - self._asked >= _ASK_AGAIN_SECONDS:
                self._asked = monotonic()
                stated = await self._stated_version()
                self.version, self.knows_version = stated or self.version, stated is not None
        return self.version

    async def _stated_version(self) -> Version | None:
        try:
            reply = await self.read(STATEMENT)
            return version_of(msgspec.json.decode(reply.body, type=CapabilityStatement).fhirVersion)
        except (FhirError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

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

    async def _body(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():  # plain: `_expect_fhir` refused the packed
            size += len(chunk)
            if size > self._limit:
                raise AnswerTooLargeError(f"more than {self._limit} bytes")
            parts.append(chunk)
        return b"".join(parts)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _expect_fhir(response: httpx.Response) -> None:
    if response.status_code != httpx.codes.OK:
        raise RefusedError(f"answered with HTTP status {response.status_code}", response.status_code)
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in _JSON:
        raise NotFhirError("answered in another format than FHIR JSON")
    if response.headers.get("content-encoding", "identity").lower() not in {"identity", ""}:
        raise NotFhirError("answered packed, although asked for plain")


class FhirServers:
    """The site's list. A server that is not on it has no client, so nothing can be sent to it."""

    def __init__(self, clients: Iterable[FhirClient]) -> None:
        self._clients: Mapping[Base, FhirClient] = {client.base: client for client in clients}

    def __iter__(self) -> Iterator[FhirClient]:
        return iter(self._clients.values())

    async def close(self) -> None:
        """End what the servers' credentials do in the background."""
        for client in self:
            if client.credentials:
                await client.credentials.close()

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
