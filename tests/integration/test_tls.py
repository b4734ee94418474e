"""A real TLS server with certificates of a hospital's own authority: who is trusted, and who is not."""

import asyncio
import ssl
from pathlib import Path

import pytest

from service.errors import SettingsError, TimedOutError, UnreachableError
from service.fhir.client import FhirClient, open_http
from service.fhir.destinations import Destination
from service.fhir.exchange import Reply
from service.fhir.origin import Base
from service.fhir.transport import PinnedTransport
from service.settings import Settings
from tests.integration.certificates import Authority

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


class Server:
    """Shows one certificate; counts the requests that reach it and knows which name was asked for."""

    def __init__(self, certificate: Path) -> None:
        self.requests = 0
        self.names: list[str | None] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._context.sni_callback = lambda _socket, name, _context: self.names.append(name)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        writer.write(ANSWER)
        writer.close()

    async def read_by_client(self, host: str, ca_file: Path | None) -> Reply:
        """Read from this server as a client that has it listed under this host, with these certificates."""
        async with await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self._context) as listening:
            url = f"https://{host}:{listening.sockets[0].getsockname()[1]}/fhir"
            transport = PinnedTransport([Destination.of(url, ca_file)], 5)
            async with open_http(transport) as http:
                return await FhirClient(Base.parse(url), http, 5.0, 1_000).read("Patient/1")


@pytest.fixture
def hospital(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "hospital")


def refusal(server: Server, host: str, ca_file: Path | None) -> str:
    with pytest.raises(UnreachableError) as caught:
        asyncio.run(server.read_by_client(host, ca_file))
    assert server.requests == 0
    return str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_sites_authority_is_trusted(hospital: Authority, host: str) -> None:
    """A server whose certificate the site's authority has issued is read, by name and by address."""
    server = Server(hospital.issued(host))
    assert asyncio.run(server.read_by_client(host, hospital.file)).body == b"{}"
    assert server.names == [None if host == "127.0.0.1" else host]


def test_without_the_setting_it_is_not(hospital: Authority) -> None:
    """A certificate of an authority that nobody named is refused, and nothing is sent."""
    assert "its certificate is refused" in refusal(Server(hospital.issued("127.0.0.1")), "127.0.0.1", None)


def test_another_authority_is_not(hospital: Authority, tmp_path: Path) -> None:
    """Nor is one that another authority has issued."""
    other = Authority(tmp_path, "other")
    assert "its certificate is refused" in refusal(Server(hospital.issued("127.0.0.1")), "127.0.0.1", other.file)


def test_an_expired_certificate_is_refused(hospital: Authority) -> None:
    """And the error says so."""
    assert "expired" in refusal(Server(hospital.issued("127.0.0.1", days=-1)), "127.0.0.1", hospital.file)


@pytest.mark.parametrize(
    ("host", "shown"), [("localhost", "fhir.example"), ("127.0.0.1", "10.0.0.1"), ("127.0.0.1", "localhost")]
)
def test_a_certificate_for_another_host_is_refused(hospital: Authority, host: str, shown: str) -> None:
    """A name or an address that is not the listed one; whoever called is told neither."""
    told = refusal(Server(hospital.issued(shown)), host, hospital.file)
    assert "mismatch" in told
    assert host not in told


def test_a_file_that_holds_no_certificate_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting is looked into at the start, and the line names it."""
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    for content in ("", "no certificate"):
        (tmp_path / "ca.pem").write_text(content)
        (tmp_path / "site.toml").write_text(f'[[fhir]]\nurl = "https://fhir.example/"\nca_file = "{tmp_path}/ca.pem"\n')
        with pytest.raises(SettingsError, match=r"fhir 1: ca_file: must be a file of certificates"):
            Settings.read()


def test_a_handshake_that_is_given_up_leaves_no_connection_behind(hospital: Authority) -> None:
    """A server that accepts and says nothing sees the end of the connection, as soon as no answer is waited for."""

    async def run() -> None:
        over = asyncio.Event()

        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            over.set()
            writer.close()

        async with await asyncio.start_server(never, "127.0.0.1", 0) as listening:
            url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/fhir"
            transport = PinnedTransport([Destination.of(url, hospital.file)], 5)
            async with open_http(transport) as http:
                with pytest.raises(TimedOutError):
                    await FhirClient(Base.parse(url), http, 0.2, 1_000).read("Patient/1")
                await asyncio.wait_for(over.wait(), 5)

    asyncio.run(run())
