"""Calls at a steady pace, whatever becomes of the ones before: what a caller sees who does not wait for his turn.

`python -m benchmarks.paced PORT RATE SECONDS` sends hook calls and prints the statuses with their times as JSON: in a
process of its own, so that who measures is not disturbed by the load.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop

from benchmarks.bodies import hook_body, unseen

_T = TypeVar("_T")
HOOK = "/cds-services/pan-cancer-prognosis"


def request(path: str, body: bytes, *headers: str) -> bytes:
    """One POST; the connection ends with the answer."""
    lines = (
        f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {len(body)}",
        "Connection: close", *headers,
    )  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def paced(call: Callable[[int], Awaitable[_T]], rate: float, seconds: float) -> list[_T]:
    """`rate` calls a second for so many seconds; the results in order. Numbers count the calls."""
    started = time.perf_counter()
    calls: list[asyncio.Task[_T]] = []
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        calls.append(asyncio.ensure_future(call(number)))
    return list(await asyncio.gather(*calls))


async def status_of(port: int, message: bytes) -> tuple[int, float]:
    """Status of the answer (0: no answer), and milliseconds until it was there."""
    started = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(message)
        status = int((await reader.readline()).split(b" ")[1])
        elapsed = 1000 * (time.perf_counter() - started)
        await reader.read()
        writer.close()
    except (OSError, IndexError, ValueError):
        return 0, 1000 * (time.perf_counter() - started)
    return status, elapsed


def main() -> None:
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    body = hook_body()

    async def call(number: int) -> tuple[int, float]:
        return await status_of(port, request(HOOK, unseen(body, number)))

    print(json.dumps(uvloop.run(paced(call, rate, seconds))))


if __name__ == "__main__":
    main()
