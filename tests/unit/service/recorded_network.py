"""A network backend that records where connections are opened and answers as a test tells it to, without a socket."""

import ssl
from collections.abc import Callable, Iterable

import httpcore

Connection = tuple[str, int]  # address and port
Respond = Callable[[str, bytes], bytes]  # address and the bytes of the request, to the bytes of the answer

ADDRESS = "203.0.113.7"  # RFC 5737: of nobody


async def one_address(_host: str, _port: int) -> list[str]:
    """A resolver that knows one address for every name."""
    return [ADDRESS]


def http_answer(body: bytes, status: str = "200 OK", headers: str = "content-type: application/fhir+json\r\n") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


class RecordedNetwork(httpcore.AsyncNetworkBackend):
    """`connections` holds every address and port that was connected to, `names` the server name of every TLS."""

    def __init__(self, respond: Respond = lambda _address, _request: http_answer(b"{}")) -> None:
        self.connections: list[Connection] = []
        self.timeouts: list[float | None] = []
        self.names: list[str | None] = []
        self._respond = respond

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        self.connections.append((host, port))
        self.timeouts.append(timeout)
        return _Stream(lambda request: self._respond(host, request), self.names)

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"httpcore would try again by itself after {seconds} s")


class _Stream(httpcore.AsyncMockStream):
    def __init__(self, respond: Callable[[bytes], bytes], names: list[str | None]) -> None:
        super().__init__([])
        self._respond = respond
        self._names = names
        self._request = b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        self._request += buffer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        request, self._request = self._request, b""
        return self._respond(request) if request else b""

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,  # noqa: ARG002
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        self._names.append(server_hostname)
        return self
