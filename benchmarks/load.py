"""A server process under load: CPU it used, and how long each request took."""

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

import psutil


class Load(NamedTuple):
    """One run: CPU milliseconds a request, and latencies in milliseconds."""

    cpu_ms: float
    p50_ms: float
    p99_ms: float
    requests: int


class Answer(NamedTuple):
    """How long it took, in seconds, and its HTTP status."""

    seconds: float
    status: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[psutil.Process]:
    """Run a server until it answers on `port`; end it at the end. Raises RuntimeError if it never answers."""
    with subprocess.Popen(list(command), env={**os.environ, **environment}, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.1)
    raise RuntimeError("the server does not answer")


def measure(
    process: psutil.Process,
    port: int,
    path: str,
    bodies: Iterable[bytes],
    connections: int,
    tokens: Iterable[str] = repeat(""),
) -> Load:
    """Send these bodies over `connections` kept open, each with a token of its own where there are any.

    A reply other than 200 raises RuntimeError.
    """
    before = _cpu(process)
    answers = send(port, (post(path, body, token) for body, token in zip(bodies, tokens, strict=False)), connections)
    times = [answer.seconds for answer in answers if answer.status == 200]
    if len(times) < len(answers):
        raise RuntimeError(f"answered with {sorted({answer.status for answer in answers})}")
    used = _cpu(process) - before
    quantiles = statistics.quantiles(times, n=100)
    return Load(1000 * used / len(times), 1000 * statistics.median(times), 1000 * quantiles[98], len(times))


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def post(path: str, body: bytes, token: str = "") -> bytes:
    """An HTTP request, whole."""
    shown = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{shown}\r\n"
    )
    return head.encode() + body


def send(port: int, messages: Iterator[bytes], connections: int) -> list[Answer]:
    """Send requests over `connections` kept open, whatever they are answered with."""
    return asyncio.run(_send(port, messages, connections))


async def _send(port: int, messages: Iterator[bytes], connections: int) -> list[Answer]:
    answers: list[Answer] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        for message in messages:
            started = time.perf_counter()
            writer.write(message)
            status = await _reply(reader)
            answers.append(Answer(time.perf_counter() - started, status))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client() for _ in range(connections)))
    return answers


async def _reply(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])
