"""`python -m benchmarks soak`: memory and open files of the served process over 10,000 hook calls.

Each call is of another patient. Nine of ten bring a complete prefetch of 335 KB; the tenth brings none and is read from
a FHIR server, or from what was kept of it. The floor of every row is the same process after the first 1,000 calls.
What the process keeps itself of records and results is bounded by 64 MiB; `ONCOHOOKS_CACHE__KEPT_SECONDS=0` shows what
it takes without. Connections to the FHIR server are told apart from other open files: they come and go with the load,
up to `limits.fhir_connections`, and one that the server has closed stays open on our side until the next request.
"""

import json
import sys
from collections.abc import Iterator
from itertools import cycle, islice, pairwise
from typing import NamedTuple

import psutil

from benchmarks.bodies import PATIENT, hook_body
from benchmarks.hook import PATH
from benchmarks.load import free_port, post, send, serving
from benchmarks.row import Row
from demo.fhir_endpoint import PATH as FHIR_PATH
from demo.fhir_endpoint import create_endpoint
from demo.patients import demo_patients
from demo.server import in_thread

STEPS = (1_000, 5_000, 10_000)
CONNECTIONS = 4
_READ_EVERY = 10


class Stand(NamedTuple):
    """Of a process after some calls: resident megabytes, open file descriptors, and calls that got no card.

    `files` leaves out connections to the FHIR server, `connections` counts them.
    """

    megabytes: float
    files: int
    connections: int
    failed: int


def run() -> list[Row]:
    charts = demo_patients()
    everyone = [resource for chart in charts.values() for resource in chart]
    port = free_port()
    service = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with in_thread(create_endpoint(everyone), path=FHIR_PATH) as fhir:
        environment = {"ONCOHOOKS_AUTH": "off", "ONCOHOOKS_FHIR": fhir, "ONCOHOOKS_DEADLINE_SECONDS": "30"}
        with serving(service, port, environment) as process:
            calls = _calls(fhir, list(charts))
            stands = [_after(process, port, calls, step - before) for before, step in pairwise((0, *STEPS))]
    return _rows(stands)


def _after(process: psutil.Process, port: int, calls: Iterator[bytes], number: int) -> Stand:
    """Where the process stands after so many further calls."""
    answers = send(port, islice(calls, number), CONNECTIONS)
    failed = sum(answer.status != 200 for answer in answers)
    connections = sum(bool(one.raddr) and one.laddr.port != port for one in process.net_connections())
    return Stand(process.memory_info().rss / 2**20, process.num_fds() - connections, connections, failed)


def _calls(fhir: str, patients: list[str]) -> Iterator[bytes]:
    """Without end."""
    body = hook_body()
    to_read = cycle(patients)
    for number in cycle(range(100_000)):
        if number % _READ_EVERY:
            yield post(PATH, body.replace(f'"{PATIENT}"'.encode(), f'"p{number}"'.encode())
                             .replace(f'Patient/{PATIENT}"'.encode(), f'Patient/p{number}"'.encode()))  # fmt: skip
        else:
            yield post(PATH, _without_prefetch(fhir, next(to_read)))


def _without_prefetch(fhir: str, patient: str) -> bytes:
    call = {
        "hook": "patient-view",
        "hookInstance": "11111111-2222-4333-8444-555555555555",
        "fhirServer": fhir,
        "context": {"userId": "Practitioner/1", "patientId": patient},
    }
    return json.dumps(call).encode()


def _rows(stands: list[Stand]) -> list[Row]:
    first = stands[0]
    memory = [
        Row.of(f"soak, resident memory after {step:,} calls", "MB", [stand.megabytes], [first.megabytes])
        for step, stand in zip(STEPS, stands, strict=True)
    ]
    last = stands[-1]
    files = Row.of(f"soak, open files after {STEPS[-1]:,} calls", "", [last.files], [first.files])
    connections = Row.of("soak, connections to the FHIR server", "", [last.connections], [first.connections])
    failed = Row.of("soak, calls without a card", "", [sum(stand.failed for stand in stands)], [0])
    return [*memory, files, connections, failed]
