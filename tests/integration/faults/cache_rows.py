"""Faults where answers of earlier calls are kept: what stands in for the server, and what happens to who keeps them."""

import msgspec

from tests.integration.faults import fhir_faults as faults
from tests.integration.faults.cache_laboratory import (
    FileCacheLaboratory,
    file_cache_laboratory,
    redis_cache_laboratory,
)
from tests.integration.faults.fhir_laboratory import LATE, keeping_asking_laboratory, keeping_laboratory
from tests.integration.faults.fhir_rows import (
    SCORED,
    Expected,
    FhirRow,
    met,
    objection_unknown,
    of_far_end,
    of_network,
    refused,
)
from tests.integration.faults.proxy import Fault
from tests.integration.faults.row import EVERY, AnyRow, Moved, Row, Seen

_CACHE = "oncohooks_cache_total"
_UNREACHABLE, _IN_TIME = "could not be reached|not asked", "in time"


def _stale(key: str, why: str, fault: int | str) -> Expected:
    labels = {"state": "stale"} if key == EVERY else {"key": key, "state": "stale"}
    stands_in = Moved("oncohooks_gaps_total", labels, at_least=key == EVERY)
    return (Seen(stale=(key,), why=why),), (*SCORED, stands_in, met(fault))


def _keeping(row: FhirRow, expected: Expected) -> FhirRow:
    seen, moved = expected
    hits = f"{row.hits}; read by an earlier call"
    return msgspec.structs.replace(row, hits=hits, laboratory=keeping_laboratory, seen=seen, moved=moved, warm=True)


_503 = faults.status(503)
_NONE: Expected = (), ()
STALE_ROWS: tuple[FhirRow, ...] = (
    _keeping(refused(), _stale(EVERY, _UNREACHABLE, "fhir-unreachable")),
    _keeping(of_far_end("503", "patient", _503, _NONE), _stale("patient", "503", 503)),
    _keeping(of_far_end("503", "conditions", _503, _NONE), _stale("conditions", "503", 503)),
    _keeping(of_far_end("503", "laboratory", _503, _NONE), _stale("laboratory", "503", 503)),
    _keeping(
        of_far_end("503 in the middle of paging", "conditions", _503, _NONE, page=2),
        _stale("conditions", "a further page was lost: refused with HTTP status 503", 503),
    ),
    _keeping(
        of_network("slow start, beyond the time limit", "conditions", Fault("slow", LATE), _NONE),
        _stale("conditions", _IN_TIME, "fhir-timeout"),
    ),
    msgspec.structs.replace(
        objection_unknown(of_far_end("503", "flags", _503, _NONE), "flags", "stale"),
        hits="`flags`; read by an earlier call",
        laboratory=keeping_asking_laboratory,
        warm=True,
    ),
    _keeping(
        of_far_end("401: who may not read now must not see what was read", "conditions", faults.status(401), _NONE),
        (
            (Seen(status=502, category="fhir-refused"),),
            (Moved("oncohooks_outcomes_total", {"outcome": "error", "code": "fhir-refused"}), met(401)),
        ),
    ),
)

_RESULTS = "oncohooks_results_total"
_DOWN = tuple(Moved(meter, {"result": how}) for meter in (_CACHE, _RESULTS) for how in ("down", "not-kept"))
_UNREADABLE = (Moved(_CACHE, {"result": "unreadable"}, at_least=True), Moved(_RESULTS, {"result": "unreadable"}))
_IN_REDIS = "Redis, which keeps records"

CACHE_ROWS: tuple[AnyRow, ...] = (
    Row(
        "slow: replies 1 s late",
        _IN_REDIS,
        redis_cache_laboratory,
        lambda lab: lab.redis.inflict(Fault("slow", 1.0)),
        lambda lab: lab.redis.arrived["slow"],
        (Seen(),),
        (*SCORED, *_DOWN),
    ),
    Row(
        "down: connection refused",
        _IN_REDIS,
        redis_cache_laboratory,
        lambda lab: lab.redis.refuse(),
        lambda lab: lab.redis.is_refusing,
        (Seen(),),
        (*SCORED, *_DOWN),
    ),
    Row(
        "values that cannot be read, as after a change of `state.key`",
        "`state.file`, which keeps records",
        file_cache_laboratory,
        FileCacheLaboratory.spoil,
        lambda lab: lab.spoilt,
        (Seen(),),
        (*SCORED, *_UNREADABLE),
    ),
)
