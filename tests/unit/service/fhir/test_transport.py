import asyncio
from pathlib import Path

import httpcore
import httpx
import pytest

from service.fhir.client import open_http
from service.fhir.destinations import Destination
from service.fhir.pinned import NotAllowedError
from service.fhir.transport import PinnedTransport
from tests.unit.service.recorded_network import ADDRESS, RecordedNetwork, Respond, http_answer, one_address

LISTED = [Destination.of("https://fhir.example/r4"), Destination.of("http://keys.example:8080/")]


def get(network: RecordedNetwork, *urls: str) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        transport = PinnedTransport(LISTED, 5, None, one_address, network)
        async with open_http(transport) as http:
            return [await http.get(url) for url in urls]

    return asyncio.run(run())


def test_a_listed_server_is_called_by_its_name() -> None:
    """The connection goes to the resolved address; TLS and the Host header have the server's name."""
    requests: list[bytes] = []

    def respond(_: str, request: bytes) -> bytes:
        requests.append(request)
        return http_answer(b"hello")

    network = RecordedNetwork(respond)
    (response,) = get(network, "https://fhir.example/r4/Patient/1?x=%20")
    assert (response.status_code, response.content) == (200, b"hello")
    assert (network.connections, network.names) == ([(ADDRESS, 443)], ["fhir.example"])
    assert requests[0].startswith(b"GET /r4/Patient/1?x=%20 HTTP/1.1\r\nHost: fhir.example\r\n")


def test_a_connection_is_used_again_within_one_origin() -> None:
    """A second request takes the first one's connection; another origin has its own."""
    network = RecordedNetwork()
    get(network, "https://fhir.example/r4", "https://fhir.example/r4", "http://keys.example:8080/jwks")
    assert network.connections == [(ADDRESS, 443), (ADDRESS, 8080)]
    assert network.names == ["fhir.example"]


@pytest.mark.parametrize(
    "url", ["https://attacker.example/", "http://fhir.example/", "https://fhir.example:8080/", "http://keys.example/"]
)
def test_what_is_not_listed_has_no_pool(url: str) -> None:
    """Another scheme, host or port is refused before anything is looked up."""
    network = RecordedNetwork()
    with pytest.raises(NotAllowedError):
        get(network, url)
    assert network.connections == []


def test_without_a_list_nothing_is_called() -> None:
    """A client that nobody gave destinations reaches nothing."""

    async def run() -> None:
        async with open_http() as http:
            await http.get("https://fhir.example/r4")

    with pytest.raises(NotAllowedError):
        asyncio.run(run())


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies of the environment are not used."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://attacker.example:3128")
    network = RecordedNetwork()
    get(network, "https://fhir.example/r4")
    assert network.connections == [(ADDRESS, 443)]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"SSH-2.0-OpenSSH\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", httpx.RemoteProtocolError),
    ],
)
def test_a_broken_answer_is_an_httpx_error(answer: bytes, kind: type[Exception]) -> None:
    """No answer, another protocol, an answer that ends early: while connecting and while reading."""
    with pytest.raises(kind):
        get(RecordedNetwork(lambda _address, _request: answer), "https://fhir.example/r4")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpcore.ConnectError("x"), httpx.ConnectError),
        (httpcore.ConnectTimeout("x"), httpx.ConnectTimeout),
        (httpcore.ReadError("x"), httpx.ReadError),
        (httpcore.ReadTimeout("x"), httpx.ReadTimeout),
        (httpcore.WriteError("x"), httpx.WriteError),
    ],
)
def test_errors_of_the_connection_are_httpx_errors(error: Exception, kind: type[Exception]) -> None:
    """What httpcore raises is raised as httpx would."""
    with pytest.raises(kind) as caught:
        get(RecordedNetwork(failing(error)), "https://fhir.example/r4")
    assert caught.value.__cause__ is error


def failing(error: Exception) -> Respond:
    def fail(_address: str, _request: bytes) -> bytes:
        raise error

    return fail


def test_a_file_of_certificates_that_is_none_is_refused(tmp_path: Path) -> None:
    """A transport is not made with certificates that cannot be read."""
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(OSError, match=r"."):
        PinnedTransport([Destination.of("https://fhir.example/", file)], 5)
