import asyncio
from collections.abc import Iterable, Sequence
from socket import gaierror

import httpcore
import pytest

from service.fhir.destinations import Destination
from service.fhir.pinned import NotAllowedError, PinnedBackend, resolved
from tests.unit.service.recorded_network import RecordedNetwork

HOST, PORT = "fhir.example", 443


class Resolver:
    """Gives one list of addresses after the other."""

    def __init__(self, *answers: Sequence[str] | Exception) -> None:
        self.asked: list[tuple[str, int]] = []
        self._answers = iter(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Broken(RecordedNetwork):
    """A network on which some addresses do not answer."""

    def __init__(self, *down: str) -> None:
        super().__init__()
        self._down = down

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await super().connect_tcp(host, port, timeout, local_address, socket_options)
        if host in self._down:
            raise httpcore.ConnectError(f"{host} is down")
        return stream


def connect(
    resolver: Resolver, network: RecordedNetwork, host: str = HOST, port: int = PORT, seconds: float | None = None
) -> list[tuple[str, int, str]]:
    """Connect once; gives what the observer was told."""
    seen: list[tuple[str, int, str]] = []
    destination = Destination.of(f"https://{HOST}/r4")
    backend = PinnedBackend(destination, lambda *told: seen.append(told), resolver, network)
    asyncio.run(_connected(backend, host, port, seconds))
    return seen


async def _connected(backend: PinnedBackend, host: str, port: int, seconds: float | None) -> None:
    await backend.connect_tcp(host, port, seconds)


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The name is resolved once; the address that was checked is connected to, and the observer is told."""
    resolver, network = Resolver(["10.0.0.5"], ["169.254.169.254"]), RecordedNetwork()
    assert connect(resolver, network) == [(HOST, PORT, "10.0.0.5")]
    assert network.connections == [("10.0.0.5", PORT)]
    assert resolver.asked == [(HOST, PORT)]


@pytest.mark.parametrize("address", ["169.254.169.254", "127.0.0.1", "0.0.0.0", "224.0.0.1", "::1", "fe80::1"])  # noqa: S104
def test_a_name_that_leads_to_a_forbidden_address_is_not_connected(address: str) -> None:
    """A resolver cannot lead the service to its own machine or to a cloud's metadata."""
    network = RecordedNetwork()
    with pytest.raises(NotAllowedError, match=r"the name leads to a .* address"):
        connect(Resolver([address]), network)
    assert network.connections == []


def test_forbidden_addresses_among_others_are_passed_over() -> None:
    """Of several addresses only those that may be are tried."""
    network = RecordedNetwork()
    connect(Resolver(["169.254.169.254", "10.0.0.5"]), network)
    assert network.connections == [("10.0.0.5", PORT)]


@pytest.mark.parametrize(
    ("host", "port"), [("attacker.example", 443), (HOST, 80), ("10.0.0.5", 443), ("FHIR.example", 443)]
)
def test_another_host_or_port_is_not_even_resolved(host: str, port: int) -> None:
    """What is not exactly the destination of the settings is refused before its name is looked up."""
    resolver, network = Resolver(), RecordedNetwork()
    with pytest.raises(NotAllowedError):
        connect(resolver, network, host, port)
    assert (resolver.asked, network.connections) == ([], [])


def test_no_socket_of_the_file_system_is_connected() -> None:
    """A connection to a Unix socket is refused."""
    backend = PinnedBackend(Destination.of(f"https://{HOST}/"))
    with pytest.raises(NotAllowedError):
        asyncio.run(backend.connect_unix_socket("/var/run/docker.sock"))


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    """Of a server with several addresses the first that answers is used; each gets its share of the time."""
    network = Broken("10.0.0.5")
    assert [address for *_, address in connect(Resolver(["10.0.0.5", "10.0.0.6"]), network, seconds=4.0)] == [
        "10.0.0.5",
        "10.0.0.6",
    ]
    first, second = network.timeouts
    assert first is not None
    assert second is not None
    assert first <= 2.0 < second <= 4.0


def test_a_server_whose_addresses_are_all_down_is_unreachable() -> None:
    """The last address's failure is told."""
    with pytest.raises(httpcore.ConnectError, match=r"10\.0\.0\.6 is down"):
        connect(Resolver(["10.0.0.5", "10.0.0.6"]), Broken("10.0.0.5", "10.0.0.6"))


@pytest.mark.parametrize("answer", [gaierror("unknown"), UnicodeError("label too long"), []])
def test_a_name_that_cannot_be_resolved_is_a_connect_error(answer: Sequence[str] | Exception) -> None:
    """No such name, a name that is none, and a name without an address."""
    with pytest.raises(httpcore.ConnectError):
        connect(Resolver(answer), RecordedNetwork())


def test_a_slow_resolver_is_a_connect_timeout() -> None:
    """Looking up the name counts as connecting."""

    async def hangs(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    backend = PinnedBackend(Destination.of(f"https://{HOST}/"), resolve=hangs, network=RecordedNetwork())
    with pytest.raises(httpcore.ConnectTimeout):
        asyncio.run(_connected(backend, HOST, PORT, 0.0))


def test_an_address_needs_no_resolver() -> None:
    """What is an address already is its own answer."""
    assert asyncio.run(resolved("10.0.0.5", PORT)) == ["10.0.0.5"]
    assert asyncio.run(resolved("::1", PORT)) == ["::1"]
