"""`python -m benchmarks hook`: one explained hook call against the least that this stack can do.

Body of 335 KB, 300 Observations, complete prefetch, all decoded, an ES384 token checked and used up. A chart that is
opened first is scored and explained; one that is opened again within a minute is not. The service, the floor and the
least that such a call can cost (`least.py`) run in turn, several times each.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count, islice, product, repeat
from pathlib import Path

import msgspec
import orjson

from benchmarks.bodies import OBSERVATIONS, PACKAGE, hook_body, unseen
from benchmarks.load import Load, free_port, measure, serving
from benchmarks.row import Row
from benchmarks.signing import SigningEhr, site_of
from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import encode
from fhir_mappings.record import PatientRecord, entries_of
from models.package import Package
from service.assessment import assess
from service.cds_hooks.cards import card_for

ROUNDS = 3
PATH = "/cds-services/pan-cancer-prognosis"


def run() -> list[Row]:
    body = hook_body()
    port, floor_port, least_port = free_port(), free_port(), free_port()
    service = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    floor = [sys.executable, "-m", "benchmarks.floor", str(floor_port)]
    ehr, address = SigningEhr(), f"http://127.0.0.1:{port}"
    least = [sys.executable, "-m", "benchmarks.least", str(least_port), json.dumps(ehr.public_key)]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, ehr.key_set() as keys:
        site = {"ONCOHOOKS_SITE": str(site_of(Path(folder), keys, address))}
        with (
            serving(service, port, site) as ours,
            serving(floor, floor_port, {}) as bottom,
            serving(least, least_port, {}) as needed,
        ):
            charts = {"first": map(partial(unseen, body), count()), "again": repeat(body)}
            for (opened, bodies), (connections, requests) in product(charts.items(), ((1, 300), (16, 800))):
                pairs, needs = [], []
                for _ in range(ROUNDS):
                    tokens = ehr.tokens(address + PATH, requests)
                    ours_now = measure(ours, port, PATH, islice(bodies, requests), connections, tokens)
                    floor_now = measure(bottom, floor_port, PATH, islice(bodies, requests), connections)
                    needed_now = measure(needed, least_port, PATH, islice(bodies, requests), connections, tokens)
                    pairs.append((ours_now, floor_now))
                    needs.append((needed_now, floor_now))
                rows += _compared(pairs, f"hook, opened {opened}, {connections} connections")
                rows += _compared(needs, f"least of a hook, {connections} connections") if opened == "first" else []
    return [*rows, *_stages(body, ehr)]


def _compared(pairs: list[tuple[Load, Load]], label: str) -> list[Row]:
    rows = []
    for name in ("cpu_ms", "p50_ms", "p99_ms"):
        ours = [getattr(pair[0], name) for pair in pairs]
        floor = [getattr(pair[1], name) for pair in pairs]
        rows.append(Row.of(f"{label}: {name.removesuffix('_ms')} per request", "ms", ours, floor))
    return rows


def _stages(body: bytes, ehr: SigningEhr) -> list[Row]:
    """Our own CPU stage by stage, in this process; the floor is the whole of orjson's parsing of the body."""
    prefetch = msgspec.json.decode(body)["prefetch"]
    raw = {key: msgspec.json.encode(value) for key, value in prefetch.items()}
    package = Package.load(PACKAGE, catalogue().schema)
    at = datetime.now(UTC)
    record = _record(raw)
    encoded = encode(record, catalogue().schema, at)
    network = package.network("diagnosis")
    assessment = assess(record, at, package)
    if assessment.abstained:
        raise RuntimeError(f"nothing is measured on a patient who is not scored: {assessment.abstained.code}")
    model_url = "https://oncohooks.example/model"
    card = card_for(assessment, model_url)
    floor = _cpu_ms(lambda: orjson.loads(body))
    (token,) = ehr.tokens("https://oncohooks.example" + PATH, 1)
    stages: list[tuple[str, Callable[[], object]]] = [
        ("signature of the token", lambda: ehr.verify(token)),
        ("decode", lambda: [decode(part) for part in raw.values()]),
        ("encode", lambda: encode(record, catalogue().schema, at)),
        ("predict", lambda: network.predict(encoded.vector)),
        ("explain", lambda: network.explain(encoded.vector)),
        ("card", lambda: card_for(assessment, model_url)),
        ("JSON of the reply", lambda: msgspec.json.encode(card)),
    ]
    return [Row.of(f"stage {name} ({OBSERVATIONS} Observations)", "ms", _cpu_ms(work), floor) for name, work in stages]


def _record(raw: dict[str, bytes]) -> PatientRecord:
    entries = tuple(e for part in raw.values() for e in entries_of(decode(part).entries, scoped=True))
    return PatientRecord("bench", entries)


def _cpu_ms(work: Callable[[], object], repeats: int = 60) -> list[float]:
    """CPU milliseconds of single runs, the first ten left out."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(1000 * (time.process_time() - started))
    return times[10:]
