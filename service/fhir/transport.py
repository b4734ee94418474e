"""HTTP over httpcore with one pool per origin that the settings name. There is no pool for any other.

A pool has one network backend, which knows one destination (`pinned.py`): what leads elsewhere has nothing to go
through. TLS certificates are always verified, by the usual roots and those of the site.
"""

import ssl
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import httpcore
import httpx

from service.fhir.destinations import Destination
from service.fhir.pinned import NotAllowedError, Observer, PinnedBackend, Resolve, resolved

_KEPT_SECONDS = 4.0  # an idle connection; the more impatient servers close theirs after 5 s
_Origin = tuple[str, str, int]
_HUNG_UP = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)

_AS_HTTPX: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.NetworkError: httpx.NetworkError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ProtocolError: httpx.ProtocolError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}


class HungUpError(httpx.ReadError):
    """A connection that was kept from an earlier request ended before an answer: the server may not have seen it."""


class PinnedTransport(httpx.AsyncBaseTransport):
    """Sends requests to the destinations, at most `connections` at a time to each, and to nothing else.

    `observer` is told of every connection that is opened; `resolve` and `network` stand for the resolver and the
    sockets. Raises OSError (which ssl.SSLError is one) where a file of certificates cannot be read.
    """

    def __init__(
        self,
        destinations: Iterable[Destination],
        connections: int,
        observer: Observer | None = None,
        resolve: Resolve = resolved,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        listed = list(dict.fromkeys(destinations))
        contexts: dict[frozenset[Path], ssl.SSLContext] = {}
        self._pools: dict[_Origin, httpcore.AsyncConnectionPool] = {}
        for one in listed:
            files = frozenset(other.ca_file for other in listed if _origin(other) == _origin(one) and other.ca_file)
            if one.scheme == "https" and files not in contexts:
                contexts[files] = _trusting(files)
            self._pools[_origin(one)] = httpcore.AsyncConnectionPool(
                ssl_context=contexts.get(files),
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=_KEPT_SECONDS,
                network_backend=PinnedBackend(one, observer, resolve, network),
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises NotAllowedError for an origin that is not listed, HungUpError, and httpx's errors."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        pool = self._pools.get((url.scheme, url.raw_host.decode("ascii"), port))
        if pool is None:
            raise NotAllowedError("not a destination of the settings", request=request)
        way = _Way()
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            # no server name, trace or socket of others
            extensions={"timeout": request.extensions.get("timeout", {}), "trace": way.told},
        )
        try:
            with _as_httpx():
                answer = await pool.handle_async_request(sent)
        except _HUNG_UP as error:
            if way.is_new:
                raise
            raise HungUpError(str(error)) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


class _Way:
    """Whether a request went by a connection of its own."""

    def __init__(self) -> None:
        self.is_new = False

    async def told(self, event: str, _: object) -> None:
        """As httpcore's `trace` tells what goes on."""
        self.is_new |= event == "connection.connect_tcp.started"


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


def _origin(destination: Destination) -> _Origin:
    return destination.scheme, destination.host, destination.port


def _trusting(files: Collection[Path]) -> ssl.SSLContext:
    """The usual authorities and those of `files`. Reading the usual ones takes 20 ms: they are read once."""
    if not files:
        return _usual()
    context = httpx.create_ssl_context(trust_env=False)
    for file in files:
        context.load_verify_locations(cafile=file)
    return context


@cache
def _usual() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        kind = next((_AS_HTTPX[kind] for kind in type(error).__mro__ if kind in _AS_HTTPX), None)
        if kind is None:
            raise
        raise kind(str(error)) from error
