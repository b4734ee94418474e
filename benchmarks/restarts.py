"""`python -m benchmarks restarts`: calls that fail while two served processes are ended and started again in turn.

A balancer sends the calls to both by turns. A process leaves its rotation as it is sent SIGTERM, with calls under way,
and comes back when it is ready. Every call is a connection of its own, and none is sent twice. The floor is none.
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx

from benchmarks.bodies import hook_body
from benchmarks.load import free_port
from benchmarks.paced import HOOK, request, status_of
from benchmarks.row import Row

RESTARTS = 20
_RATE = 20.0  # calls a second: what two processes have room for while a third starts
_READY_SECONDS = 60.0
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "ONCOHOOKS_AUTH": "off"}


class Ended(NamedTuple):
    """How a process ended: its code, the calls that were under way when it was told to, and seconds until it had."""

    code: int
    under_way: int
    seconds: float


class Rotation:
    """The ports that calls go to, by turns, and what became of the calls."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.under_way: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()  # 0: no answer
        self._begun = asyncio.Event()
        self._message = request(HOOK, hook_body())

    async def call(self) -> None:
        port = self.ports[0]
        self.ports.append(self.ports.pop(0))
        self.under_way[port] += 1
        self._begun.set()
        status, _ = await status_of(port, self._message)
        self.under_way[port] -= 1
        self.statuses[status] += 1

    async def leave(self, port: int) -> int:
        """Out of the rotation, as soon as calls are under way there; how many."""
        while not self.under_way[port]:
            self._begun.clear()
            await self._begun.wait()
        self.ports.remove(port)
        return self.under_way[port]

    @contextlib.asynccontextmanager
    async def loaded(self) -> AsyncIterator[None]:
        """Calls at a steady pace, whatever becomes of the ones before, for as long as the context."""
        over = asyncio.Event()

        async def calls() -> None:
            async with asyncio.TaskGroup() as group:
                while not over.is_set():
                    group.create_task(self.call())
                    await asyncio.sleep(1 / _RATE)

        load = asyncio.create_task(calls())
        try:
            yield
        finally:
            over.set()
            await load


async def _started(port: int) -> asyncio.subprocess.Process:
    """A process that is ready."""
    command = (sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", str(port))
    process = await asyncio.create_subprocess_exec(
        *command, env=_ENVIRONMENT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(_READY_SECONDS), httpx.AsyncClient(trust_env=False) as probing:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await probing.get(f"http://127.0.0.1:{port}/readyz")).status_code == httpx.codes.OK:
                    return process
            await asyncio.sleep(0.1)


async def _ended(process: asyncio.subprocess.Process, port: int, rotation: Rotation) -> Ended:
    """Out of the rotation and told to end in one moment."""
    under_way, told = await rotation.leave(port), time.perf_counter()
    process.send_signal(signal.SIGTERM)
    return Ended(await process.wait(), under_way, time.perf_counter() - told)


async def _restarted(rotation: Rotation) -> list[Ended]:
    processes = {port: await _started(port) for port in (free_port(), free_port())}
    rotation.ports = list(processes)
    ends: list[Ended] = []
    try:
        async with rotation.loaded():
            for port in list(processes) * (RESTARTS // 2):
                ends.append(await _ended(processes[port], port, rotation))
                processes[port] = await _started(port)
                rotation.ports.append(port)
    finally:
        for process in processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    return ends


def run() -> list[Row]:
    rotation = Rotation()
    ends = asyncio.run(_restarted(rotation))
    calls = sum(rotation.statuses.values())
    under_way = sum(end.under_way for end in ends)
    not_in_order = sum(end.code not in {0, -signal.SIGTERM} for end in ends)
    return [
        Row.of(f"restarts, of {calls:,} calls without a card", "", [calls - rotation.statuses[200]], [0]),
        Row.of(f"restarts, of {len(ends)} that did not end in order", "", [not_in_order], [0]),
        Row.of(f"restarts, to the end with {under_way} calls under way", "s", [end.seconds for end in ends], [0]),
    ]
