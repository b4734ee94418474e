"""What a search of ours adds to a medication key that a client half filled."""

from typing import Any

import msgspec

from fhir_mappings.finding import Issue
from fhir_mappings.record import Entry, State
from fhir_mappings.resources.datatypes import Reference
from fhir_mappings.resources.therapies import Medication, MedicationRequest
from fhir_mappings.retrieval import queries
from service.fhir.answer import Answer
from service.fhir.half_filled import completed

(QUERY,) = (query for query in queries() if query.key == "medicationRequests")
WHO = Reference("Patient/1")


def order(name: str = "", **members: Any) -> Entry:
    given = {"status": "active", "intent": "order", "subject": WHO, "medicationReference": Reference("Medication/m")}
    return Entry(MedicationRequest(id=name, **{**given, **members}), scoped=True)


def sent(*entries: Entry) -> Answer:
    return Answer(QUERY, "prefetch", "partial", entries, reason="1 products named by reference only", unnamed=1)


def read(*entries: Entry, state: State = "complete", reason: str = "") -> Answer:
    return Answer(QUERY, "search", state, entries, reason=reason)


PRODUCT = Entry(Medication(id="m"), scoped=True)


def test_what_nobody_was_asked_for_leaves_what_was_sent() -> None:
    """As a search that failed does: with its own name and both reasons."""
    answer = completed(sent(order("a")), read(state="notAsked", reason="the server does not offer it"))
    assert (answer.via, answer.state, answer.entries) == ("prefetch", "partial", (order("a"),))
    assert answer.reason == "1 products named by reference only; the server does not offer it"


def test_what_has_no_id_is_no_copy() -> None:
    """Two orders without a name are two."""
    first, second = order(authoredOn="2026-01-01"), order(authoredOn="2026-01-02")
    assert completed(sent(first), read(second, PRODUCT)).entries == (first, second, PRODUCT)


def test_nobodys_order_is_kept_beside_a_copy() -> None:
    """Whose it is is for the guard to say."""
    nobodys = order("a", subject=Reference(), authoredOn="2026-01-01")
    anothers = order("a", subject=Reference(), authoredOn="2026-01-02")
    assert completed(sent(nobodys), read(anothers, PRODUCT)).entries == (nobodys, anothers, PRODUCT)
    groups = order("a", subject=Reference("Group/1"))
    assert completed(sent(groups), read(order("a"), PRODUCT)).entries == (groups, order("a"), PRODUCT)


def test_what_the_search_had_no_time_for_is_told() -> None:
    """A part of an answer is a part beside what was sent, too."""
    answer = completed(sent(order("a")), read(order("a"), PRODUCT, state="partial", reason="page 2 was lost"))
    assert (answer.state, answer.unnamed) == ("partial", 0)
    assert answer.reason == "read after 1 products named by reference only in prefetch; page 2 was lost"


def test_a_product_that_both_hold_counts_once() -> None:
    """Of two versions both stay."""
    other = Entry(Medication(id="m", implicitRules="urn:rules"), scoped=True)
    assert completed(sent(order("a"), PRODUCT), read(order("a"), PRODUCT)).entries == (order("a"), PRODUCT)
    assert completed(sent(order("a"), other), read(order("a"), PRODUCT)).entries == (other, order("a"), PRODUCT)


def test_what_either_could_not_read_is_told_where_the_search_failed() -> None:
    """Both issues, as both reasons."""
    of_sent, of_read = (Issue("warning", "unreadable", why) for why in ("sent", "read"))
    client, server = sent(order("a")), read(state="failed", reason="an OperationOutcome instead of an answer")
    client = msgspec.structs.replace(client, issues=(of_sent,))
    assert completed(client, msgspec.structs.replace(server, issues=(of_read,))).issues == (of_sent, of_read)
