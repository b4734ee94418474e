"""Faults of the FHIR server and of the network before it."""

import math

import msgspec

from tests.integration.faults import fhir_faults as faults
from tests.integration.faults.far_end import Fault, asks_for
from tests.integration.faults.fhir_laboratory import (
    LATE,
    PATIENT,
    FhirLaboratory,
    asking_laboratory,
    fhir_laboratory,
    tls_laboratory,
)
from tests.integration.faults.proxy import HOST
from tests.integration.faults.proxy import Fault as OfNetwork
from tests.integration.faults.row import EVERY, Moved, Row, Seen

FhirRow = Row[FhirLaboratory]
Expected = tuple[tuple[Seen, ...], tuple[Moved, ...]]
_OUTCOMES = "oncohooks_outcomes_total"
_WHOLE = (Seen(),)
SCORED = (Moved(_OUTCOMES, {"outcome": "scored"}),)
_NEVER = math.inf
_LEFT_ALONE = 8.0  # seconds; a server that failed ten times in a row is not asked for five


def _error(status: int, category: str) -> Expected:
    return (Seen(status=status, category=category),), (Moved(_OUTCOMES, {"outcome": "error", "code": category}),)


def met(what: int | str, *, at_least: bool = True) -> Moved:
    """A request to the server that got this status, or failed like this."""
    label = "error_type" if isinstance(what, str) else "http_response_status_code"
    return Moved("http_client_request_duration_seconds_count", {label: str(what)}, at_least=at_least)


def _gap(why: str, fault: int | str = "") -> Expected:
    """Of the laboratory. `fault`: what became of the request; "" where each of its answers was good by itself."""
    gap = Moved("oncohooks_gaps_total", {"key": "laboratory"})
    return (Seen(gaps=("laboratory",), why=why),), (*SCORED, gap, *([met(fault)] if fault else []))


def _in_vain(status: int) -> Expected:
    """Met once, and nothing is lost by it."""
    return _WHOLE, (*SCORED, met(status, at_least=False))


def _foreign() -> Expected:
    abstained = Moved(_OUTCOMES, {"outcome": "abstained", "code": "foreign-patient"})
    return (Seen(abstained="foreign-patient"),), (abstained, Moved("oncohooks_wrong_patient_total"))


def objection_unknown(row: FhirRow, key: str, state: str = "failed") -> FhirRow:
    """Where the site asks for flags and consents: what nobody is scored without."""
    abstained = Moved(_OUTCOMES, {"outcome": "abstained", "code": "objection-unknown"})
    gap = Moved("oncohooks_gaps_total", {"key": key, "state": state})
    seen, moved = (Seen(abstained="objection-unknown"),), (abstained, gap)
    return msgspec.structs.replace(row, laboratory=asking_laboratory, seen=seen, moved=moved)


def of_far_end(
    name: str,
    key: str,
    fault: Fault,
    expected: Expected,
    *,
    page: int = 1,
    times: float = _NEVER,
) -> FhirRow:
    """A fault that the far end makes of its own answer to one query."""

    def inflict(lab: FhirLaboratory) -> None:
        lab.far.on(key, fault, page=page, times=times)

    return Row(name, _named(key), fhir_laboratory, inflict, lambda lab: lab.far.arrived[key], *expected)


def _named(key: str) -> str:
    return key if key == EVERY else f"`{key}`"


def of_network(name: str, key: str, fault: OfNetwork, expected: Expected) -> FhirRow:
    """A fault of the connection on which one query is asked."""

    def inflict(lab: FhirLaboratory) -> None:
        lab.proxy.inflict(OfNetwork(fault.kind, fault.seconds, fault.size, asks_for(key, PATIENT)))

    pause = _LEFT_ALONE if key == "conditions" else 0.0
    return Row(name, _named(key), fhir_laboratory, inflict, lambda lab: lab.proxy.arrived[fault.kind], *expected, pause)


_UNREACHABLE = _error(502, "fhir-unreachable")


def refused() -> FhirRow:
    return Row(
        "connection refused",
        "every query",
        fhir_laboratory,
        lambda lab: lab.proxy.refuse(),
        lambda lab: lab.proxy.is_refusing,
        *_UNREACHABLE,
        _LEFT_ALONE,
    )


def _restarted() -> FhirRow:
    def inflict(lab: FhirLaboratory) -> None:
        lab.proxy.refuse()
        lab.proxy.lift()

    return Row(
        "connections reset while they were idle: the server was restarted",
        "every query",
        fhir_laboratory,
        inflict,
        lambda lab: lab.proxy.arrived["closed"],
        _WHOLE,
        SCORED,
        warm=True,
    )


def _foreign_link(key: str, expected: Expected) -> FhirRow:
    """The far end links to a port of which the service must know nothing: no connection arrives there."""

    def inflict(lab: FhirLaboratory) -> None:
        lab.far.on(key, faults.following(f"http://{HOST}:{lab.canary.port}/fhir?_getpages=x"))

    def arrived(lab: FhirLaboratory) -> float:
        return lab.far.arrived[key] if lab.canary.connections == 0 else 0

    return Row("`next` leads to another server", f"`{key}`", fhir_laboratory, inflict, arrived, *expected)


def _clock(name: str, days: int) -> FhirRow:
    def inflict(lab: FhirLaboratory) -> None:
        lab.far.date = faults.http_date(days=days)

    return Row(name, "every query", fhir_laboratory, inflict, lambda lab: lab.queries_asked, _WHOLE, SCORED)


def _expired() -> FhirRow:
    def inflict(lab: FhirLaboratory) -> None:
        assert lab.authority is not None
        lab.server.shows(lab.authority.expired())
        lab.proxy.refuse()  # what was connected before, if anything, has seen the valid one
        lab.proxy.lift()
        lab.proxy.connections = 0

    def arrived(lab: FhirLaboratory) -> float:
        """Connections were made and no query came. That it was for the date is what the recovery shows."""
        return lab.proxy.connections if not lab.queries_asked else 0

    return Row(
        "certificate expired",
        "every query",
        tls_laboratory,
        inflict,
        arrived,
        *_UNREACHABLE,
        _LEFT_ALONE,
    )


_SILENT, _LATE, _IN_TIME = OfNetwork("silent"), OfNetwork("slow", LATE), OfNetwork("slow", 0.2)
_DRIP, _CUT, _RESET = OfNetwork("drip", 0.1), OfNetwork("cut", size=400), OfNetwork("reset", size=400)
_GONE = "could not be reached"
_TIME = r"no answer within|not arrived|not read within|in time|deadline|timeout"
_TIMEOUT, _LOST, _REFUSED = _error(504, "fhir-timeout"), _error(502, "fhir-page-lost"), _error(502, "fhir-refused")
_NOT_FHIR, _TOO_LARGE = _error(502, "fhir-not-fhir"), _error(502, "fhir-too-large")

FHIR_ROWS: tuple[FhirRow, ...] = (
    refused(),
    _restarted(),
    of_network("accepted and never answered", "conditions", _SILENT, _TIMEOUT),
    of_network("accepted and never answered", "laboratory", _SILENT, _gap(_TIME, "fhir-timeout")),
    of_network("slow start, within the time limit", "laboratory", _IN_TIME, (_WHOLE, SCORED)),
    of_network("slow start, beyond the time limit", "conditions", _LATE, _TIMEOUT),
    of_network("slow start, beyond the time limit", "laboratory", _LATE, _gap(_TIME, "fhir-timeout")),
    of_network("slow-loris: a byte every 0.1 s", "conditions", _DRIP, _TIMEOUT),
    of_network("slow-loris: a byte every 0.1 s", "laboratory", _DRIP, _gap(_TIME, "fhir-timeout")),
    of_network("connection cut in the middle of an answer", "conditions", _CUT, _UNREACHABLE),
    of_network("connection cut in the middle of an answer", "laboratory", _CUT, _gap(_GONE, "fhir-unreachable")),
    of_network("connection reset in the middle of an answer", "conditions", _RESET, _UNREACHABLE),
    of_network(
        "connection reset in the middle of an answer",
        "laboratory",
        _RESET,
        _gap(_GONE, "fhir-unreachable"),
    ),
    of_far_end("429, `Retry-After` beyond the deadline", "conditions", faults.status(429, lambda: "120"), _REFUSED),
    of_far_end(
        "429, `Retry-After` beyond the deadline",
        "laboratory",
        faults.status(429, lambda: faults.http_date(minutes=2)),
        _gap("429", 429),
    ),
    of_far_end("429 once, `Retry-After: 0`", "conditions", faults.status(429, lambda: "0"), _in_vain(429), times=1),
    of_far_end(
        "429 once, `Retry-After` as a date that is now",
        "laboratory",
        faults.status(429, faults.http_date),
        _in_vain(429),
        times=1,
    ),
    of_far_end("503", "conditions", faults.status(503), _REFUSED),
    of_far_end("503", "laboratory", faults.status(503), _gap("503", 503)),
    msgspec.structs.replace(of_far_end("503", EVERY, faults.status(503), _REFUSED), pause=_LEFT_ALONE),
    objection_unknown(of_far_end("503", "flags", faults.status(503), ((), ())), "flags"),
    objection_unknown(of_network("accepted and never answered", "consents", _SILENT, ((), ())), "consents"),
    of_far_end("503 once", "conditions", faults.status(503), _in_vain(503), times=1),
    of_far_end("401 in the middle of paging", "conditions", faults.status(401), _LOST, page=2),
    of_far_end("401 in the middle of paging", "laboratory", faults.status(401), _gap("page", 401), page=2),
    of_far_end("410 for a page", "conditions", faults.status(410), _LOST, page=2),
    of_far_end("410 for a page", "laboratory", faults.status(410), _gap("page", 410), page=2),
    of_far_end("410 for a page, once", "laboratory", faults.status(410), _in_vain(410), page=2, times=1),
    of_far_end("truncated gzip, although plain was asked for", "conditions", faults.truncated_gzip, _UNREACHABLE),
    of_far_end(
        "truncated gzip, although plain was asked for",
        "laboratory",
        faults.truncated_gzip,
        _gap(".", "fhir-unreachable"),
    ),
    of_far_end("gzip bomb of 200 MB, although plain was asked for", "conditions", faults.gzip_bomb, _TOO_LARGE),
    of_far_end(
        "gzip bomb of 200 MB, although plain was asked for",
        "laboratory",
        faults.gzip_bomb,
        _gap("more than the limit", "fhir-too-large"),
    ),
    of_far_end("200 with a login page", "conditions", faults.login_page, _NOT_FHIR),
    of_far_end("200 with a login page", "laboratory", faults.login_page, _gap("no FHIR", "fhir-not-fhir")),
    of_far_end("200 with a login page as FHIR JSON", "patient", faults.login_page_as_fhir, _NOT_FHIR),
    of_far_end("a wrong patient's resource", "patient", faults.wrong_patient, _foreign()),
    of_far_end("a wrong patient's resources", "conditions", faults.wrong_patient, _foreign()),
    of_far_end("a wrong patient's resources", "laboratory", faults.wrong_patient, _foreign()),
    of_far_end("endless `next`", "conditions", faults.endless_next(), _LOST),
    of_far_end("endless `next`", "laboratory", faults.endless_next(), _gap("end|newest")),
    _foreign_link("conditions", _LOST),
    _foreign_link("laboratory", _gap("page")),
    of_far_end("a page twice", "conditions", faults.duplicate_page(), (_WHOLE, SCORED)),
    of_far_end("a page twice", "laboratory", faults.duplicate_page(), (_WHOLE, SCORED)),
    _clock("the server's clock is 11 years ahead", 4_000),
    _clock("the server's clock is 11 years behind", -4_000),
    _expired(),
)
