"""What a ledger says against a result."""

from datetime import UTC, datetime

import msgspec
import pytest

from fhir_mappings.record import Retrieval
from service.clock import Moment
from service.gaps import LATE, cached, came_too_late, forbids_survival, leaves_position_unclear, owed, stale, unread
from service.scoring import scoring
from tests.unit.service.made_up_patients import AT, package, record

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
WHOLE = Retrieval("conditions", "search", "complete", 3, "2026-06-30T12:00:00+00:00")
LATE_LINE = Retrieval("laboratory", "search", "partial", reason=f"further pages: {LATE}")
FAILED = Retrieval("lists", "search", "failed", reason="refused with HTTP status 503")
OLD = Retrieval("genetics", "cache", "complete", 2, "2026-06-30T11:48:00+00:00", "the server could not be reached")
RECENT = Retrieval("tumour", "cache", "empty", 0, "2026-06-30T11:59:20.500+00:00")


def test_each_kind_of_line_is_told_apart() -> None:
    """What is missing, what of that came too late, what stands in for a server that failed, what was read just now."""
    ledger = (WHOLE, LATE_LINE, FAILED, OLD, RECENT)
    old, recent = stale(ledger, NOW), cached(ledger, NOW)
    assert unread(ledger) == ["laboratory", "lists"]
    assert came_too_late(ledger) == ["laboratory"]
    assert list(owed(ledger)) == [("laboratory", "partial"), ("lists", "failed"), ("genetics", "stale")]
    assert old is not None
    assert (old.keys, old.seconds) == (("genetics",), 720)
    assert recent is not None
    assert (recent.keys, recent.seconds) == (("tumour",), 40)
    assert stale((WHOLE, RECENT), NOW) is None
    assert cached((WHOLE, OLD), NOW) is None


def test_a_whole_record_of_earlier_is_not_named_query_by_query() -> None:
    """No keys stand for all; the oldest decides its age."""
    both = stale((OLD, msgspec.structs.replace(OLD, key="lists", asOf="2026-06-30T11:00:00+00:00")), NOW)
    assert both is not None
    assert (both.keys, both.seconds) == ((), 3_600)


@pytest.mark.parametrize(
    ("line", "unclear", "no_survival"),
    [
        (WHOLE, False, False),
        (LATE_LINE, True, True),
        (FAILED, False, False),
        (OLD, False, True),
        (RECENT, False, False),
        (Retrieval("encounters", "search", "failed"), False, True),
        (Retrieval("sequences", "search", "failed"), False, False),
        (Retrieval("laboratory", "prefetch", "notAsked"), False, False),
    ],
)
def test_what_a_line_forbids(line: Retrieval, unclear: bool, no_survival: bool) -> None:
    """No position without what it rests on, no figure without what could forbid it."""
    assert leaves_position_unclear((WHOLE, line)) is unclear
    assert forbids_survival((WHOLE, line)) is no_survival


def test_only_a_first_look_at_an_emergency_has_a_position_of_half_a_record() -> None:
    """Its range says how little that is; the card of a chart says that it is unclear."""
    half = record("demo-lung", state="partial")
    at = Moment("then", AT)
    chart, emergency = (scoring(half, package(), at, emergency=urgent).assessment() for urgent in (False, True))
    whole = scoring(record("demo-lung"), package(), at, emergency=True).assessment()
    assert chart.position is not None
    assert chart.position.category == "unclear"
    assert emergency.position is not None
    assert whole.position is not None
    assert emergency.position.category == whole.position.category
