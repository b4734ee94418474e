"""The fault proxy does what it says, and counts it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.integration.faults.proxy import HOST, Fault, FaultProxy

REPLY = b"0123456789"


@pytest.fixture
def far_end() -> Iterator[int]:
    """Answers every five bytes with ten."""
    with socket.create_server((HOST, 0)) as listener:

        def serve(connection: socket.socket) -> None:
            with connection, suppress(ConnectionError):
                while connection.recv(5):
                    connection.sendall(REPLY)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(far_end: int) -> Iterator[FaultProxy]:
    with FaultProxy(far_end).running() as running:
        yield running


def connect(proxy: FaultProxy) -> socket.socket:
    client = socket.create_connection((HOST, proxy.port))
    client.settimeout(5)
    return client


def received(client: socket.socket, size: int) -> bytes:
    """So many bytes, or what came before the end."""
    got = b""
    while len(got) < size and (chunk := client.recv(size - len(got))):
        got += chunk
    return got


def test_it_passes_everything_through(proxy: FaultProxy) -> None:
    """Without a fault it is a wire."""
    with connect(proxy) as client:
        for _ in range(3):
            client.sendall(b"hello")
            assert received(client, 10) == REPLY
    assert (proxy.connections, sum(proxy.arrived.values())) == (1, 0)


def test_a_closed_port_refuses_and_opens_again(proxy: FaultProxy) -> None:
    """Open connections are reset, new ones refused by the kernel; the port stays the same."""
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert received(client, 10) == REPLY
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert proxy.is_refusing
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    assert proxy.arrived == {"closed": 1}
    proxy.lift()
    assert not proxy.is_refusing
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert received(client, 10) == REPLY


def test_it_accepts_and_never_answers(proxy: FaultProxy) -> None:
    """The connection stands, nothing comes."""
    proxy.inflict(Fault("silent"))
    with connect(proxy) as client:
        client.sendall(b"hello")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert proxy.arrived == {"silent": 1}


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_it_delays_and_delivers_everything(proxy: FaultProxy, kind: str) -> None:
    """The reply is whole, and late: nothing but its first byte is there at once."""
    proxy.inflict(Fault(kind, seconds=0.05))  # type: ignore[arg-type]
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert received(client, 10) == REPLY
    assert proxy.arrived == {kind: 1}


def test_it_cuts_after_so_many_bytes(proxy: FaultProxy) -> None:
    """In order: the client reads an end."""
    proxy.inflict(Fault("cut", size=4))
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert received(client, 10) == b"0123"
    assert proxy.arrived == {"cut": 1}


def test_it_resets_in_the_middle_of_a_reply(proxy: FaultProxy) -> None:
    """By RST, not by an end: the client's read fails."""
    proxy.inflict(Fault("reset", size=0))
    with connect(proxy) as client:
        client.sendall(b"hello")
        with pytest.raises(ConnectionResetError):
            client.recv(10)
    assert proxy.arrived == {"reset": 1}


def test_a_fault_waits_for_its_request(proxy: FaultProxy) -> None:
    """Only the reply to what the fault waits for is harmed, on a connection that served others before."""
    proxy.inflict(Fault("cut", size=1, on=lambda request: b"wrong" in request))
    with connect(proxy) as client, connect(proxy) as other:
        for one in (client, other):
            one.sendall(b"right")
            assert received(one, 10) == REPLY
        client.sendall(b"wrong")
        assert received(client, 10) == b"0"
        other.sendall(b"right")
        assert received(other, 10) == REPLY
    assert proxy.arrived == {"cut": 1}


def test_it_sees_what_it_is_to_watch_for(proxy: FaultProxy) -> None:
    """In both directions."""
    proxy.watched = (b"hello", b"789")
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert received(client, 10) == REPLY
    assert proxy.seen == {b"hello": 1, b"789": 1}
