"""What a client may do with a prefetch key, and what becomes of it: one line a case (CDS Hooks 2.0, Prefetch)."""

from typing import Any

import msgspec
import pytest

from fhir_mappings.retrieval import queries
from service.errors import Category
from tests.app.hospital import WHO, Ward, on_a_ward
from tests.unit.service.far_end import (
    BASE,
    PATIENT,
    Caller,
    FhirServer,
    assessment_of,
    bundle,
    full_prefetch,
    issue_of,
    meters,
    observation,
    outcome,
    patient,
)

MISSING = object()  # the key is left out
NEXT = f"{BASE}?page=2"
PRODUCT = {
    "resourceType": "Medication",
    "id": "m",
    "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB06"}]},
}
ORDER = {
    "resourceType": "MedicationRequest",
    "id": "r",
    "status": "active",
    "intent": "order",
    "subject": {"reference": f"Patient/{PATIENT}"},
    "authoredOn": "2026-01-02",
    "medicationReference": {"reference": "Medication/m"},
}
LACKING = "1 products named by reference only"
EPICS_EMPTY = {**bundle(outcome=outcome("warning", "4101")), "total": 0}
FAILED = "an OperationOutcome instead of an answer"


class Case(msgspec.Struct, frozen=True):
    """One key of an otherwise complete prefetch, and what is expected of it. `asked`: requests to the server."""

    sent: Any
    via: str
    state: str
    asked: int = 0
    count: int = 0
    reason: str = ""
    key: str = "laboratory"
    counted: str = ""  # the state in the meter, where it is not the ledger's
    server: str = BASE


CASES = {
    "a Bundle": Case(bundle(observation(1)), "prefetch", "complete", count=1),
    "a resource": Case(patient(), "prefetch", "complete", count=1, key="patient"),
    "an empty Bundle": Case(bundle(), "prefetch", "empty"),
    "null: known to be absent": Case(
        None, "prefetch", "empty", reason="the client states that there are none"
    ),
    "null, for what is needed": Case(
        None, "prefetch", "empty", reason="the client states that there are none", key="conditions"
    ),
    "missing: fetched": Case(MISSING, "search", "complete", asked=1, count=1, counted="missing"),
    "missing, with no server to ask": Case(
        MISSING, "prefetch", "notAsked", reason="not sent, and no FHIR server is stated", counted="missing", server=""
    ),
    "no FHIR resource: fetched": Case([7], "search", "complete", asked=1, count=1, counted="missing"),
    "OperationOutcome: the client's error": Case(outcome(), "prefetch", "failed", reason=FAILED),
    "OperationOutcome that only warns": Case(outcome("warning"), "prefetch", "failed", reason=FAILED),
    "OperationOutcome that only informs, for what is needed: fetched": Case(
        outcome("information"), "search", "empty", asked=1, reason=f"read after {FAILED} in prefetch", key="conditions",
        counted="failed",
    ),
    "OperationOutcome that warns, in an empty Bundle": Case(bundle(outcome=outcome("warning")), "prefetch", "empty"),
    "OperationOutcome in a Bundle": Case(bundle(outcome=outcome()), "prefetch", "failed", reason=FAILED),
    "OperationOutcome, for what is needed: fetched": Case(
        outcome(), "search", "empty", asked=1, reason=f"read after {FAILED} in prefetch", key="conditions",
        counted="failed",
    ),
    "OperationOutcome beside entries": Case(
        bundle(observation(1), outcome=outcome()), "prefetch", "partial", count=1,
        reason="an OperationOutcome beside the answer",
    ),
    "Epic's empty search": Case(EPICS_EMPTY, "prefetch", "empty"),
    "Epic's empty search as an error": Case(bundle(outcome=outcome("error", "4101")), "prefetch", "empty"),
    "Epic's empty search without its Bundle": Case(outcome("error", "4101"), "prefetch", "empty"),
    "paged: the rest is fetched": Case(
        bundle(observation(1), following=NEXT), "prefetch", "complete", asked=1, count=2
    ),
    "paged, with no server to ask": Case(
        bundle(observation(1), following=NEXT), "prefetch", "partial", count=1,
        reason="further pages were not read", server="",
    ),
    "a Bundle whose total says that there are more": Case(
        {**bundle(observation(1)), "total": 5}, "prefetch", "partial", count=1,
        reason="fewer entries than the Bundle's total",
    ),
    "no entry of those that there are": Case(
        {**bundle(), "total": 5}, "prefetch", "partial", reason="fewer entries than the Bundle's total"
    ),
    "a total that is no number": Case({**bundle(observation(1)), "total": "5"}, "prefetch", "complete", count=1),
    "a Bundle in a Bundle": Case(
        bundle(observation(1), bundle(observation(2))), "prefetch", "partial", count=1,
        reason="1 entries could not be read",
    ),
    "medication with its products": Case(
        bundle(ORDER, PRODUCT), "prefetch", "complete", count=2, key="medicationRequests"
    ),
    "medication without its products: read by search, with them": Case(
        bundle(ORDER), "search", "complete", asked=1, count=2, key="medicationRequests",
        reason=f"read after {LACKING} in prefetch", counted="failed",
    ),
    "medication without its products, with further pages: read from the start": Case(
        bundle(ORDER, following=NEXT), "search", "complete", asked=1, count=2, key="medicationRequests",
        reason=f"read after {LACKING} in prefetch", counted="failed",
    ),
    "medication without its products, with no server to ask": Case(
        bundle(ORDER), "prefetch", "partial", count=1, key="medicationRequests", reason=LACKING, server=""
    ),
    "medication without its products, with a server that is not listed": Case(
        bundle(ORDER), "prefetch", "partial", count=1, key="medicationRequests", reason=LACKING,
        server="https://elsewhere.example/r4",
    ),
    "medication that was not used, without its products": Case(
        bundle({**ORDER, "status": "completed"}), "prefetch", "complete", count=1, key="medicationRequests"
    ),
    "an entry that cannot be read": Case(
        bundle(observation(1), {**observation(2), "valueQuantity": "13"}), "prefetch", "partial", count=1,
        reason="1 entries could not be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_state_of_a_key(caller: Caller, server: FhirServer, name: str) -> None:
    """The ledger says how the key was answered, the meter what the client did, and only the holes are fetched."""
    case = CASES[name]
    server.on("laboratory", bundle(observation(1)))
    server.on("conditions", bundle())
    server.on("medicationRequests", bundle(ORDER, PRODUCT))
    server.on(NEXT, bundle(observation(2)))
    prefetch = full_prefetch(**{case.key: case.sent})
    if case.sent is MISSING:
        del prefetch[case.key]
    ledger = assessment_of(caller.hook(prefetch=prefetch, fhirServer=case.server or None))["retrieval"]
    (line,) = [line for line in ledger if line["key"] == case.key]
    assert (line["via"], line["state"], line.get("count", 0), line.get("reason", "")) == (
        case.via, case.state, case.count, case.reason,
    )  # fmt: skip
    assert len(server.requests) == case.asked
    counted = meters(caller, "oncohooks_prefetch_total")
    assert counted["any", case.key, case.counted or case.state] == 1
    assert sum(counted.values()) == len(ledger)
    assert meters(caller, "oncohooks_gaps_total") == (
        {(case.key, case.state): 1} if case.state in {"failed", "partial"} else {}
    )


def test_every_key_and_no_server_make_a_card_that_is_not_preliminary() -> None:
    """What discovery publishes is all that a record needs, medication included."""

    async def steps(ward: Ward) -> None:
        whole = await ward.opened()
        prefetch = {query.key: await ward.hospital.sends(query) for query in queries()}
        ward.hospital.asked.clear()
        card = await ward.opened(prefetch=prefetch, fhirServer=None)
        assert ward.hospital.asked == []
        assert {line["via"] for line in card.ledger.values()} == {"prefetch"}
        assert card.summary == whole.summary
        assert "Preliminary" not in card.summary
        del prefetch["medicationRequests"]
        card = await ward.opened(prefetch=prefetch, fhirServer=None)
        assert card.summary.startswith("Preliminary: medication orders")

    on_a_ward(steps)


def test_products_that_nobody_can_read_are_told_on_the_card() -> None:
    """The medication is there and cannot be named: the card says that it is incomplete."""

    async def steps(ward: Ward) -> None:
        prefetch = {query.key: await ward.hospital.sends(query) for query in queries()}
        prefetch["medicationRequests"] = bundle({**ORDER, "subject": {"reference": f"Patient/{WHO}"}})
        card = await ward.opened(prefetch=prefetch, fhirServer=None)
        assert card.summary.startswith("Preliminary: medication orders incomplete")

    on_a_ward(steps)


def test_what_is_needed_and_cannot_be_had_is_412(caller: Caller) -> None:
    """Patient and Condition left out, failed or unreadable, and no server to ask: 412 with an OperationOutcome."""
    for key in ("patient", "conditions"):
        for sent in (MISSING, outcome(), [7]):
            prefetch = {name: value for name, value in full_prefetch(**{key: sent}).items() if value is not MISSING}
            response = caller.hook(prefetch=prefetch)
            issue = issue_of(response)
            assert (response.status_code, issue["category"]) == (412, Category.UNOBTAINABLE)
            assert f"not sent: {key}" in issue["diagnostics"]


def test_a_key_that_was_no_resource_and_was_read_leaves_no_doubt() -> None:
    """What is not recorded is absent, as if the key had been left out: the server has said what there is."""

    async def steps(ward: Ward) -> None:
        left_out, was_junk = await ward.opened(), await ward.opened(prefetch={"laboratory": "none"})
        assert was_junk.assessment["coverage"] == left_out.assessment["coverage"]
        assert was_junk.result == left_out.result
        (issue,) = [one for one in was_junk.assessment["issues"] if one["code"] == "unreadable"]
        assert issue["source"] == "prefetch.laboratory"

    on_a_ward(steps)
