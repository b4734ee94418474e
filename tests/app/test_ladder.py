"""What a clinician gets, rung by rung: fresh, cached, older, partial, abstained, an error; never unmarked."""

import random
from typing import Any

import pytest

from service.gaps import LATE
from service.language.sentences import ENGLISH
from tests.app.hospital import KEYS, WHO, Card, Ward, on_a_ward
from tests.unit.service.far_end import bundle, issue_of

LABORATORY = ENGLISH.queries["laboratory"]
MINUTE = {"minutes": 1.5}  # longer than answers are fresh
ORDERED: list[dict[str, Any]] = [
    {
        "resourceType": "MedicationRequest",
        "id": "ordered",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{WHO}"},
        "authoredOn": "2026-01-02",
        "medicationReference": {"reference": "Medication/product"},
    },
    {
        "resourceType": "Medication",
        "id": "product",
        "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB06"}]},
    },
]


def test_first_rung_fresh() -> None:
    """Everything is read now: no word of age or of what is missing."""

    async def steps(ward: Ward) -> None:
        card = await ward.opened()
        assert {line["via"] for line in card.ledger.values()} == {"search"}
        assert not card.notices.keys() & {"cached", "stale"}
        assert card.summary.startswith("Compared with similar")
        assert sorted(ward.hospital.asked) == sorted(KEYS)

    on_a_ward(steps)


def test_second_rung_cached() -> None:
    """Opened again within a minute, nobody is asked; the result is the same, its age is on the card."""

    async def steps(ward: Ward) -> None:
        first = await ward.opened()
        ward.hospital.asked.clear()
        ward.clock.pass_by(seconds=40)
        again = await ward.opened()
        assert ward.hospital.asked == []
        assert again.result == first.result
        assert {line["via"] for line in again.ledger.values()} == {"cache"}
        assert {line["asOf"] for line in again.ledger.values()} == {line["asOf"] for line in first.ledger.values()}
        assert again.notices["cached"].startswith("Read less than a minute ago")
        assert "the whole record. Newer values may exist and are not included." in again.detail
        assert again.summary == first.summary
        assert again.uuid == first.uuid  # whatever the time of day that it names

    on_a_ward(steps)


def test_second_rung_after_a_failure_of_the_client() -> None:
    """What the client could not get was read a moment ago: no server has failed, and nothing is older than that."""

    async def steps(ward: Ward) -> None:
        first = await ward.opened()
        failure = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
        card = await ward.opened(prefetch={"conditions": failure})
        assert card.ledger["conditions"]["via"] == "cache"
        assert card.ledger["conditions"]["reason"].startswith("read after")
        assert "stale" not in card.notices
        assert card.summary == first.summary

    on_a_ward(steps)


def test_second_rung_of_what_was_sent_without_its_products() -> None:
    """Products that were read a moment ago complete what the client sends: nobody is asked, nothing is older."""

    async def steps(ward: Ward) -> None:
        ward.hospital.resources = [*ward.hospital.resources, *ORDERED]
        first = await ward.opened()
        ward.hospital.asked.clear()
        card = await ward.opened(prefetch={"medicationRequests": bundle(ORDERED[0])})
        line = card.ledger["medicationRequests"]
        assert (line["via"], line["state"], line["count"]) == ("cache", "complete", 2)
        assert line["reason"] == "read after 1 products named by reference only in prefetch"
        assert ward.hospital.asked == []
        assert "stale" not in card.notices
        assert card.result == first.result

    on_a_ward(steps)


def test_second_rung_with_a_product_that_nobody_has() -> None:
    """What was read a moment ago is no older answer, whatever else is missing."""

    async def steps(ward: Ward) -> None:
        ward.hospital.resources = [*ward.hospital.resources, *ORDERED]
        await ward.opened()
        unknown = {**ORDERED[0], "id": "unknown", "medicationReference": {"reference": "Medication/unknown"}}
        card = await ward.opened(prefetch={"medicationRequests": bundle(unknown)})
        line = card.ledger["medicationRequests"]
        assert (line["via"], line["state"], line["count"]) == ("cache", "partial", 3)
        assert "stale" not in card.notices

    on_a_ward(steps)


def test_third_rung_older_products_for_what_was_sent() -> None:
    """The server fails: what it said some minutes ago stands in, and the card says so."""

    async def steps(ward: Ward) -> None:
        ward.hospital.resources = [*ward.hospital.resources, *ORDERED]
        await ward.opened()
        ward.clock.pass_by(minutes=12)
        ward.hospital.fails("broken", ["medicationRequests"])
        card = await ward.opened(prefetch={"medicationRequests": bundle(ORDERED[0])})
        line = card.ledger["medicationRequests"]
        assert (line["via"], line["state"]) == ("cache", "complete")
        assert line["reason"].endswith("in prefetch; refused with HTTP status 503")
        assert ENGLISH.queries["medicationRequests"] in card.notices["stale"]

    on_a_ward(steps)


def test_after_a_minute_the_server_is_asked_again() -> None:
    """What is there by then is on the card."""

    async def steps(ward: Ward) -> None:
        await ward.opened()
        ward.clock.pass_by(**MINUTE)
        card = await ward.opened()
        assert {line["via"] for line in card.ledger.values()} == {"search"}

    on_a_ward(steps)


@pytest.mark.parametrize("fault", ["broken", "unreachable"])
def test_third_rung_older_values_of_a_server_that_fails(fault: str) -> None:
    """The whole record of some minutes ago, with its time in the summary, on top of the card and in the ledger."""

    async def steps(ward: Ward) -> None:
        first = await ward.opened()
        ward.clock.pass_by(minutes=12)
        ward.hospital.fails(fault)  # type: ignore[arg-type]
        card = await ward.opened()
        moment = first.ledger["laboratory"]["asOf"][:16].replace("T", " ")
        assert card.result == first.result
        assert card.summary.startswith(f"As of {moment} UTC; newer values may exist:")
        assert card.detail.index("(12 minutes old): the whole record.") < card.detail.index("Position")
        assert "Do not use it for a decision that depends on newer values." in card.detail
        assert {(line["via"], line["state"]) for line in card.ledger.values()} <= {
            ("cache", "complete"), ("cache", "empty"),
        }  # fmt: skip
        assert all(line["reason"] for line in card.ledger.values())

    on_a_ward(steps)


def test_third_rung_older_values_of_one_query() -> None:
    """Only the laboratory is older: the notice names it and nothing else."""

    async def steps(ward: Ward) -> None:
        await ward.opened()
        ward.clock.pass_by(hours=0.2)
        ward.hospital.fails("broken", ["laboratory"])
        card = await ward.opened()
        assert f"(12 minutes old): {LABORATORY}." in card.notices["stale"]
        assert card.ledger["laboratory"]["via"] == "cache"
        assert card.ledger["laboratory"]["reason"] == "refused with HTTP status 503"
        assert card.ledger["tumour"]["via"] == "search"

    on_a_ward(steps)


def test_third_rung_older_values_of_a_query_that_is_late() -> None:
    """What was read some minutes ago stands in for what does not come in time."""

    async def steps(ward: Ward) -> None:
        await ward.opened()
        ward.clock.pass_by(minutes=12)
        ward.hospital.fails("late", ["laboratory"])
        answer = await ward.call()
        card = Card(answer.json()["cards"][0])
        assert card.ledger["laboratory"]["via"] == "cache"
        assert card.ledger["laboratory"]["reason"] == LATE
        assert LABORATORY in card.notices["stale"]
        ward.hospital.released.set()

    on_a_ward(steps, deadline_seconds=1, hard_deadline_seconds=30)


def test_older_values_are_not_for_who_may_not_read() -> None:
    """A server that refuses has not failed: what was read before is not shown instead."""

    async def steps(ward: Ward) -> None:
        await ward.opened()
        ward.clock.pass_by(**MINUTE)
        ward.hospital.fails("refused", ["laboratory"])
        card = await ward.opened()
        assert (card.ledger["laboratory"]["via"], card.ledger["laboratory"]["state"]) == ("search", "failed")
        assert "stale" not in card.notices

    on_a_ward(steps)


def test_values_that_are_too_old_are_not_used() -> None:
    """After `kept_seconds` they are gone."""

    async def steps(ward: Ward) -> None:
        await ward.opened()
        ward.clock.pass_by(minutes=15, seconds=1)
        ward.hospital.fails("broken", ["laboratory"])
        card = await ward.opened()
        assert card.ledger["laboratory"]["state"] == "failed"

    on_a_ward(steps)


def test_fourth_rung_partial() -> None:
    """Nothing is kept of the laboratory: the card is preliminary, the position unclear, and it says what is missing."""

    async def steps(ward: Ward) -> None:
        ward.hospital.fails("broken", ["laboratory"])
        card = await ward.opened()
        assert card.summary.startswith(f"Preliminary: {LABORATORY} incomplete or not obtained. Based on ")
        assert card.category == "unclear"
        assert "position unclear" in card.summary
        assert f"which does not mean that it was not measured: {LABORATORY}." in card.detail
        assert card.ledger["laboratory"]["reason"] == "refused with HTTP status 503"

    on_a_ward(steps)


def test_fourth_rung_partial_for_lack_of_time() -> None:
    """The card says that it is the time, and the next call has what came after it."""

    async def steps(ward: Ward) -> None:
        ward.hospital.fails("late", ["laboratory"])
        card = Card((await ward.call()).json()["cards"][0])
        assert card.summary.startswith(f"Preliminary: {LABORATORY} did not arrive in time. Based on ")
        assert card.category == "unclear"
        told = f"Missing because of the time limit, not because it was not measured: {LABORATORY}. Reopen the chart"
        assert told in card.detail
        assert card.ledger["laboratory"]["reason"] == LATE
        ward.hospital.released.set()
        await ward.settled()
        ward.hospital.asked.clear()
        again = await ward.opened()
        assert ward.hospital.asked == []
        assert (again.ledger["laboratory"]["via"], again.ledger["laboratory"]["state"]) == ("cache", "complete")
        assert again.category != "unclear" or "Preliminary" not in again.summary

    on_a_ward(steps, deadline_seconds=1, hard_deadline_seconds=30)


def test_fifth_rung_abstained() -> None:
    """Too little is left to score: the card says so, and what was not obtained."""

    async def steps(ward: Ward) -> None:
        ward.hospital.fails("broken", set(KEYS) - {"patient", "conditions"})
        card = await ward.opened()
        assert card.assessment["abstained"]["code"] == "too-little"
        assert card.summary.startswith("Not scored:")
        assert LABORATORY in card.detail

    on_a_ward(steps)


@pytest.mark.parametrize(
    ("fault", "status", "category"),
    [("broken", 502, "fhir-refused"), ("unreachable", 502, "fhir-unreachable"), ("late", 504, "fhir-timeout")],
)
@pytest.mark.parametrize("key", ["patient", "conditions"])
def test_last_rung_a_documented_error(key: str, fault: str, status: int, category: str) -> None:
    """Without Patient or Condition, new or kept, nothing can be said; never an empty list of cards."""

    async def steps(ward: Ward) -> None:
        ward.hospital.fails(fault, [key])  # type: ignore[arg-type]
        answer = await ward.call()
        assert answer.status_code == status
        assert issue_of(answer)["category"] == category

    hard = 0.3 if fault == "late" else 5.0  # what may pass is tried again in the meantime
    on_a_ward(steps, deadline_seconds=0.1, hard_deadline_seconds=hard)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_fails_is_named(seed: int) -> None:
    """Any queries fail in any way, with or without a record kept from before.

    Each gap and each older answer is named, on the card and in the ledger; what is neither has been read now.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    dispensable = [key for key in KEYS if key not in {"patient", "conditions"}]
    failing = {key: chance.choice(["refused", "broken", "unreachable"]) for key in dispensable if chance.random() < 0.4}

    async def steps(ward: Ward) -> None:
        kept = chance.random() < 0.5
        if kept:
            ward.hospital.fails("broken", chance.sample(dispensable, 4))
            await ward.opened()
            ward.clock.pass_by(seconds=chance.choice([30, 300]))
        ward.hospital.faults = failing  # type: ignore[assignment]
        card = await ward.opened()
        told = f"{card.summary} {card.detail} {' '.join(card.notices.values())}"
        for key, line in card.ledger.items():
            name = ENGLISH.queries[key]
            if line["state"] in {"failed", "partial"}:
                assert key in failing
                assert line["reason"]
                assert name in card.detail
                assert card.summary.startswith(("Preliminary", "Not scored"))
            elif line["via"] == "cache":
                assert name in told or "the whole record" in told
                assert card.notices.keys() & {"cached", "stale"}
                assert ("stale" in card.notices) or not line.get("reason")
            else:
                assert key not in failing
        assert set(failing) <= {
            key for key, line in card.ledger.items() if line["state"] == "failed" or line["via"] == "cache"
        }

    on_a_ward(steps)
