"""The last line of defence: the one place where a connection is opened, to one destination, at a checked address.

The name is resolved once and the connection goes to exactly the address that was checked. A library that resolves the
name again when it connects can be given another answer (DNS rebinding).
"""

import asyncio
import math
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from socket import SOCK_STREAM, gaierror

import httpcore
import httpx

from service.fhir.destinations import Destination

Observer = Callable[[str, int, str], None]  # host and port as the settings have them, the address that is connected to
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class NotAllowedError(httpx.TransportError):
    """The connection would lead to what the settings do not name, or to where no server of the site can be."""


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, the resolver's first choice first. Raises OSError."""
    with suppress(ValueError):
        return [str(ip_address(host))]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to one destination and to nothing else. The TLS server name stays the destination's host."""

    def __init__(
        self,
        destination: Destination,
        observer: Observer | None = None,
        resolve: Resolve = resolved,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._destination = destination
        self._observer = observer
        self._resolve = resolve
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; each gets an equal share of the time.

        Raises NotAllowedError, httpcore.ConnectError, httpcore.ConnectTimeout.
        """
        if (host, port) != (self._destination.host, self._destination.port):
            raise NotAllowedError("not a destination of the settings")
        now = asyncio.get_running_loop().time
        end = math.inf if timeout is None else now() + timeout
        addresses = await self._checked(timeout)
        failure: Exception = httpcore.ConnectError("the name has no address")
        for number, address in enumerate(addresses):
            share = (end - now()) / (len(addresses) - number)
            if self._observer:
                self._observer(host, port, address)
            try:
                stream = await self._network.connect_tcp(
                    address, port, None if share == math.inf else max(share, 0.0), local_address, socket_options
                )
                return _BeforeTls(stream) if self._destination.scheme == "https" else stream
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Raises NotAllowedError: no server of a site is behind a file."""
        raise NotAllowedError("not a destination of the settings")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _checked(self, seconds: float | None) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                found = await self._resolve(self._destination.host, self._destination.port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from error
        except (gaierror, UnicodeError) as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error
        refusals = {address: self._destination.refuses(ip_address(address)) for address in found}
        if found and all(refusals.values()):
            raise NotAllowedError(f"the name leads to a {next(iter(refusals.values()))} address")
        return [address for address, why in refusals.items() if not why]


class _BeforeTls(httpcore.AsyncNetworkStream):
    """A connection whose handshake, if it is given up, ends with it: httpcore 1.0 leaves it open when cancelled."""

    def __init__(self, plain: httpcore.AsyncNetworkStream) -> None:
        self._plain = plain

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._plain.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._plain.aclose()
            raise

    async def aclose(self) -> None:
        await self._plain.aclose()
