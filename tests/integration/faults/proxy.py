"""A TCP proxy that does what networks and far ends do at their worst, on purpose and countably.

It knows no protocol. A fault sets in with a connection, or once what the client has sent since the last reply is what
the fault waits for; so one request of many can be hit, whichever connection carries it.
"""

import asyncio
import errno
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

import msgspec

HOST = "127.0.0.1"
Kind = Literal["silent", "slow", "drip", "cut", "reset"]


class Fault(msgspec.Struct, frozen=True):
    """What is done to replies.

    silent: the request is swallowed and never answered · slow: the reply starts `seconds` later · drip: it comes one
    byte every `seconds` · cut: the connection ends in order after `size` bytes of it · reset: it ends there by RST.
    """

    kind: Kind
    seconds: float = 0.0
    size: int = 0
    on: Callable[[bytes], bool] = lambda _: True


class _Connection:
    """One client's way to the far end."""

    def __init__(self, proxy: "FaultProxy", client: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._far = far
        self._request = b""
        self._fault: Fault | None = None

    async def requests(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(65_536):
            self._request += chunk
            self._proxy.watch(chunk)
            fault = self._proxy.fault
            if self._fault is None and fault is not None and fault.on(self._request):
                self._fault = fault
            if self._fault is not None and self._fault.kind == "silent":
                self._proxy.arrived["silent"] += 1
                continue
            self._far.write(chunk)
            await self._far.drain()

    async def replies(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(65_536):
            self._request = b""
            self._proxy.watch(chunk)
            if self._fault is None:
                self._client.write(chunk)
                await self._client.drain()
            elif not await self._harmed(self._fault, chunk):
                return

    async def _harmed(self, fault: Fault, chunk: bytes) -> bool:
        """Deliver a chunk as the fault has it; whether the connection lives on."""
        if fault.kind in {"slow", "drip"}:
            self._proxy.arrived[fault.kind] += 1
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            self._fault = None  # what follows is of the same reply
            self._client.write(chunk)
        elif fault.kind == "drip":
            for byte in chunk:
                self._client.write(bytes([byte]))
                await self._client.drain()
                await asyncio.sleep(fault.seconds)
        else:
            self._client.write(chunk[: fault.size])
            await self._client.drain()
            self._proxy.arrived[fault.kind] += 1
            if fault.kind == "reset":
                reset(self._client)
            return False
        return True


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST: what a process that died leaves behind."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class FaultProxy:
    """`arrived` counts by kind what was really done to a connection; `seen` how often a watched text went through."""

    def __init__(self, far_port: int) -> None:
        self._far_port = far_port
        self.fault: Fault | None = None
        self.arrived: Counter[str] = Counter()
        self.connections = 0
        self.seen: Counter[bytes] = Counter()
        self.watched: tuple[bytes, ...] = ()
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket = _bound(0)
        self.port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None

    def inflict(self, fault: Fault) -> None:
        """From now on, on connections that are open as well."""
        self.fault = fault

    def refuse(self) -> None:
        """Close the port and reset every connection. The port stays ours: nobody else can get it meanwhile."""
        self._do(self._refuse())

    def lift(self) -> None:
        """Pass everything through again."""
        self.fault = None
        self._do(self._listen())

    @property
    def is_refusing(self) -> bool:
        """Whether a connection is refused at this moment, tried in earnest."""
        with socket.socket() as asking:
            return asking.connect_ex((HOST, self.port)) == errno.ECONNREFUSED

    def watch(self, chunk: bytes) -> None:
        for text in self.watched:
            self.seen[text] += chunk.count(text)

    @contextmanager
    def running(self) -> Iterator["FaultProxy"]:
        thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        thread.start()
        try:
            self._do(self._listen())
            yield self
        finally:
            self._do(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accepted, sock=self._socket)

    async def _refuse(self) -> None:
        await self._close()
        self._socket = _bound(self.port)  # bound and not listening: the kernel refuses

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._socket.close()
        self.arrived["closed"] += len(self._tasks)
        for writer in self._open:
            reset(writer)
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        await asyncio.sleep(0)  # the transports close in the next turn of the loop

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        self._tasks.add(task)
        try:
            with self._kept(writer):
                far_reader, far_writer = await asyncio.open_connection(HOST, self._far_port)
                with self._kept(far_writer):
                    await self._between(reader, writer, far_reader, far_writer)
        except (OSError, asyncio.CancelledError):
            pass  # either end is gone, which is what ends a connection
        finally:
            self._tasks.discard(task)

    @contextmanager
    def _kept(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._open.add(writer)
        try:
            yield
        finally:
            self._open.discard(writer)
            writer.close()

    async def _between(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        """Both ways, until either ends."""
        connection = _Connection(self, writer, far_writer)
        pumps = [
            asyncio.create_task(connection.requests(reader)),
            asyncio.create_task(connection.replies(far_reader)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((HOST, port))
    return made
