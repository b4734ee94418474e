"""`python -m benchmarks gather`: one patient with 1,000 Observations read from a real HAPI server.

Cold, against a bare httpx script that sends the same requests, as many at a time, and parses what comes to find the
next page; from the cache, against cold. In turn, many times each, in one process, whose CPU is reported too. Needs Java
and Maven.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx
import msgspec
import orjson

from benchmarks.bodies import PATIENT, record_bundle
from benchmarks.row import Row
from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import queries
from service.clock import now
from service.fhir.background import Background
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.destinations import Destination
from service.fhir.gather import PatientCall, Reach, whole
from service.fhir.origin import Base
from service.fhir.paging import Bounds
from service.fhir.record_cache import RecordCache
from service.state.expiring import ProcessExpiring
from service.state.feedback import ProcessFeedback
from service.state.site_key import SiteKey
from service.state.vault import Vault

OBSERVATIONS = 1_000
CONCURRENCY = 12
WARM_UP, ROUNDS = 5, 20
HEADERS = {"Accept": "application/fhir+json", "Accept-Encoding": "identity", "Cache-Control": "no-cache"}


def run() -> list[Row]:
    from tests.integration.hapi_server import hapi_server  # noqa: PLC0415 - needs Java, and only here

    with hapi_server() as hapi:
        _load(hapi.base_url)
        return asyncio.run(_measured(hapi.base_url))


def _load(base: str) -> None:
    entries = msgspec.json.decode(record_bundle(OBSERVATIONS, datetime.now(UTC)))["entry"]
    for entry in entries:
        resource = entry["resource"]
        entry["request"] = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    transaction = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    httpx.post(base, json=transaction, timeout=300, trust_env=False).raise_for_status()


class Times(list[tuple[float, float]]):
    """Wall and CPU milliseconds of each run."""

    async def of(self, work: Callable[[], Awaitable[object]]) -> None:
        started, used = time.perf_counter(), time.process_time()
        await work()
        self.append((1000 * (time.perf_counter() - started), 1000 * (time.process_time() - used)))

    @property
    def wall(self) -> list[float]:
        return [wall for wall, _ in self[WARM_UP:]]

    @property
    def cpu(self) -> list[float]:
        return [cpu for _, cpu in self[WARM_UP:]]


async def _measured(base: str) -> list[Row]:
    cold, cached, bare = Times(), Times(), Times()
    destinations = [Destination.of(base)]
    async with (
        open_http(destinations=destinations) as ours,
        httpx.AsyncClient(headers=HEADERS, trust_env=False, timeout=60) as plain,
    ):
        reach = Reach(
            FhirServers([FhirClient(Base.parse(base), ours, 60.0, 2**26)]), Bounds(500, 10_000), CONCURRENCY, 60.0
        )
        background = Background()
        vault = Vault(ProcessExpiring(now), SiteKey(ProcessFeedback(now, 1), "k" * 32), 60.0)
        cache = RecordCache(vault, 3_600, 3_600, lambda _: None)
        keeping = msgspec.structs.replace(reach, cache=cache, background=background)
        expected = (await _record(base, keeping)).entries
        await background.settled()
        for _ in range(WARM_UP + ROUNDS):
            await cold.of(lambda: _record(base, reach))
            await bare.of(lambda: _bare(base, plain))
            await cached.of(lambda: _record(base, keeping))
        if (await _record(base, keeping)).entries != expected or len(expected) <= OBSERVATIONS:
            raise RuntimeError("not the whole record, or another one from the cache")
    label = f"gather {OBSERVATIONS:,} Observations"
    return [
        Row.of(f"{label}, cold: wall (bare httpx)", "ms", cold.wall, bare.wall),
        Row.of(f"{label}, cold: own CPU (bare httpx)", "ms", cold.cpu, bare.cpu),
        Row.of(f"{label}, cached: wall (cold)", "ms", cached.wall, cold.wall),
        Row.of(f"{label}, cached: own CPU (cold)", "ms", cached.cpu, cold.cpu),
    ]


async def _record(base: str, reach: Reach) -> PatientRecord:
    return await whole(PatientCall(PATIENT, base), reach, queries())


async def _bare(base: str, http: httpx.AsyncClient) -> None:
    room = asyncio.Semaphore(CONCURRENCY)

    async def one(address: str) -> None:
        async with room:
            while address:
                answer = await http.get(address)
                body = orjson.loads(answer.content)
                address = next((link["url"] for link in body.get("link", ()) if link["relation"] == "next"), "")

    await asyncio.gather(*(one(f"{base}/{query.url(PATIENT)}") for query in queries()))
