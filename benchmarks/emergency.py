"""`python -m benchmarks emergency`: how long an emergency waits for its first answer, alone and under overload.

A far end that takes 20 ms for every search, the Bundle of the bedside at hand, 10 patients a second. Overload: five
times as many chart-open calls (335 KB each) as the service can answer. Beside each figure stands what GET /livez took
in the same seconds: the least that the same process can do just then.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import NamedTuple

from benchmarks.bodies import PATIENT, emergency_record, hook_body, unseen
from benchmarks.far_end import SLOW
from benchmarks.load import free_port, measure, serving
from benchmarks.paced import HOOK, paced, request
from benchmarks.row import Row

NOW = datetime.now(UTC)
RATE = 10.0  # patients a second
SECONDS = 10.0
ROUNDS = 3
OVERLOAD = 5
DEADLINE_MS = 400
PATH = "/emergency/assessments"
_ALIVE = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_SETTLED = b'"final":true'
_SCORED = b'"status":"scored"'


class Seen(NamedTuple):
    """What one caller saw, in milliseconds; `alive` is the probe beside it."""

    first: float
    last: float
    answers: int
    alive: float


class Round(NamedTuple):
    """99th percentiles of one round."""

    first: float
    last: float
    alive: float

    @classmethod
    def of(cls, seen: list[Seen]) -> "Round":
        return cls(*(_p99([getattr(one, name) for one in seen]) for name in cls._fields))


def run() -> list[Row]:
    port, far = free_port(), free_port()
    service = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    environment = {"ONCOHOOKS_AUTH": "off", "ONCOHOOKS_FHIR": f"http://127.0.0.1:{far}/fhir"}
    with (
        serving([sys.executable, "-m", "benchmarks.far_end", str(far), NOW.isoformat()], far, {}),
        serving(service, port, environment) as ours,
    ):
        body = hook_body()
        started = time.perf_counter()
        load = measure(ours, port, HOOK, (unseen(body, number) for number in range(400)), connections=8)
        capacity = load.requests / (time.perf_counter() - started)
        print(f"{capacity:.0f} chart-open calls a second", file=sys.stderr)
        alone = [Round.of(_streams(port)) for _ in range(ROUNDS)]
        errors = [_deadline_errors(port) for _ in range(ROUNDS)]
        pressed, shed, good = _overloaded(port, OVERLOAD * capacity)
    rows = [
        _row("first answer, p99 (150 wanted)", [r.first for r in alone], [r.alive for r in alone]),
        _row("last answer, p99", [r.last for r in alone], [r.alive for r in alone]),
        _row(f"off the deadline of {DEADLINE_MS} ms, p99 (50 wanted)", errors, [r.alive for r in alone]),
        _row("5x overload: first answer, p99 (450 wanted)", [r.first for r in pressed], [r.alive for r in pressed]),
        _row("5x overload: last answer, p99", [r.last for r in pressed], [r.alive for r in pressed]),
        _row("5x overload: chart-open calls turned away, median", shed, [r.alive for r in pressed]),
    ]
    return [*rows, Row.of("5x overload: chart-open calls answered", "/s", good, [capacity])]


def _row(name: str, ours: list[float], alive: list[float]) -> Row:
    return Row.of(f"emergency: {name}", "ms", ours, alive)


def _streams(port: int) -> list[Seen]:
    def message(number: int) -> bytes:
        return request(PATH, _body(f"ed-{number}", DEADLINE_MS * 5), "Accept: text/event-stream")

    return asyncio.run(paced(lambda number: _seen(port, message(number)), RATE, SECONDS))


def _deadline_errors(port: int) -> float:
    """How far the only answer is from the deadline where the laboratory never arrives, 99th percentile."""

    async def one(number: int) -> float:
        seen = await _seen(port, request(PATH, _body(f"{SLOW}-{number}", DEADLINE_MS), "Accept: application/json"))
        return abs(seen.last - DEADLINE_MS)

    return _p99(asyncio.run(paced(one, RATE, SECONDS)))


def _overloaded(port: int, rate: float) -> tuple[list[Round], list[float], list[float]]:
    """Emergencies while far too many charts are opened; the time of a 503, and how many charts a second got a card."""
    rounds, shed, good = [], [], []
    for _ in range(ROUNDS):
        command = [sys.executable, "-m", "benchmarks.paced", str(port), str(rate), str(SECONDS + 4)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as charts:
            time.sleep(3)  # until the load is there
            rounds.append(Round.of(_streams(port)))
            opened = json.loads(charts.communicate()[0])
        times: dict[int, list[float]] = {}
        for status, elapsed in opened:
            times.setdefault(status, []).append(elapsed)
        print(
            {status: (len(all_), round(statistics.median(all_)), round(_p99(all_))) for status, all_ in times.items()},
            file=sys.stderr,
        )
        shed.append(statistics.median(times.get(503, [0.0])))
        good.append(len(times.get(200, [])) / (SECONDS + 4))
    return rounds, shed, good


def _body(patient: str, deadline_ms: int) -> bytes:
    entries = [{"resource": one} for one in emergency_record(NOW)]  # of a department: on no server
    bundle = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
    named = bundle.replace(f"Patient/{PATIENT}", f"Patient/{patient}").replace(
        f'"id": "{PATIENT}"', f'"id": "{patient}"'
    )
    return f'{{"patientId": "{patient}", "deadlineMs": {deadline_ms}, "bundle": {named}}}'.encode()


async def _seen(port: int, message: bytes) -> Seen:
    """One call; an answer counts where it is a score or a final "not scored". Raises RuntimeError without any."""
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    writer.write(message)
    first, answers = 0.0, 0
    alive = asyncio.ensure_future(_alive(port))
    while line := await reader.readline():
        if _SCORED in line or _SETTLED in line:
            answers += 1
            first = first or time.perf_counter()
    ended = time.perf_counter()
    writer.close()
    if not first:
        raise RuntimeError("no answer was a score or final")
    return Seen(1000 * (first - started), 1000 * (ended - started), answers, await alive)


async def _alive(port: int) -> float:
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_ALIVE)
    await reader.read()
    writer.close()
    return 1000 * (time.perf_counter() - started)


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]
