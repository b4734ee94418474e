"""`python -m benchmarks mapping`: a record's bytes to its feature vector, against orjson parsing the same bytes.

Ours and the floor run in turn, so that whatever else the machine does meets both. The peer is fhir.resources, which
validates the same Bundle and maps nothing.
"""

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from fhir.resources.R4B.bundle import Bundle

from benchmarks.bodies import PATIENT, record_bundle
from benchmarks.row import Row
from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.record import PatientRecord, entries_of

SIZES = {1_000: 60, 3_000: 30, 10_000: 12, 30_000: 6}  # Observations, runs of each


def run() -> list[Row]:
    at = datetime.now(UTC)
    gc.freeze()
    gc.set_threshold(20_000)  # as the service does
    rows = [_row(size, runs, at) for size, runs in SIZES.items()]
    return [*rows, _beside_fhir_resources(1_000, at)]


def _row(size: int, runs: int, at: datetime) -> Row:
    body = record_bundle(size, at)
    ours, floor = in_turn(lambda: mapped(body, at), lambda: orjson.loads(body), runs)
    return Row.of(f"decoding and mapping, {size} Observations, orjson", "ms", ours, floor)


def _beside_fhir_resources(size: int, at: datetime) -> Row:
    body = record_bundle(size, at)
    ours, peer = in_turn(lambda: mapped(body, at), lambda: Bundle.model_validate_json(body), 5)
    return Row.of(f"decoding and mapping, {size} Observations, fhir.resources", "ms", ours, peer)


def mapped(body: bytes, at: datetime) -> EncodedPatient:
    record = PatientRecord(PATIENT, entries_of(decode(body).entries, scoped=True))
    return encode(record, catalogue().schema, at)


def in_turn(ours: Callable[[], object], other: Callable[[], object], runs: int) -> tuple[list[float], list[float]]:
    """CPU milliseconds of single runs, the first fifth left out."""
    pairs = [(_cpu_ms(ours), _cpu_ms(other)) for _ in range(runs + runs // 5)][runs // 5 :]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _cpu_ms(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return 1000 * (time.process_time() - started)
