"""A result is kept for a minute, under everything that it depends on; what the call adds is added anew."""

import asyncio
from collections import Counter
from copy import copy
from datetime import datetime, time, timedelta
from typing import Any

import msgspec
import pytest

from fhir_mappings.record import Entry, PatientRecord, Retrieval
from fhir_mappings.timing import WHOLE_DAY
from models.package import Package
from service.assessment import Assessment
from service.clock import Moment, now
from service.fhir.background import Background
from service.result_cache import Results, label_of
from service.scoring import Scoring, scoring
from service.state.expiring import ExpiringStore, ProcessExpiring
from service.state.feedback import ProcessFeedback
from service.state.site_key import SiteKey
from service.state.vault import Vault
from service.survival import Showing
from tests.unit.service.made_up_patients import AT, chart, package, record
from tests.unit.service.state.unfit_stores import Down, Garbled

READ = Retrieval("laboratory", "search", "complete", 3, AT.isoformat())
FROM_CACHE = msgspec.structs.replace(READ, via="cache")
SECOND = timedelta(seconds=1)


def asked(whose: PatientRecord | None = None, *, after: timedelta = timedelta(), **options: Any) -> Scoring:
    """A scoring `after` so long."""
    whose = whose or record("demo-lung")
    return scoring(whose, options.pop("package", None) or package(), Moment("now"), real=lambda: AT + after, **options)


def with_ledger(*lines: Retrieval) -> PatientRecord:
    return msgspec.structs.replace(record("demo-lung"), retrieval=lines)


class Kept:
    """Results kept for a minute in a store, and what was counted."""

    def __init__(
        self, store: ExpiringStore | None = None, seconds: float = 60.0, background: Background | None = None
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.background = background or Background()
        vault = Vault(store or ProcessExpiring(now), SiteKey(ProcessFeedback(now, 1), "k" * 32))
        self.results = Results(vault, seconds, self.background, lambda result: self.counts.update([result]))

    async def assessment(self, scoring: Scoring) -> Assessment:
        found = await self.results.assessment(scoring)
        await self.background.settled()
        return found


def assessments(kept: Kept, *scorings: Scoring) -> list[Assessment]:
    """One after the other."""

    async def run() -> list[Assessment]:
        return [await kept.assessment(one) for one in scorings]

    return asyncio.run(run())


def test_the_same_record_is_scored_once_a_minute() -> None:
    """What comes from the cache is what was worked out, and says from when."""
    kept = Kept()
    first, again, later = assessments(kept, asked(), asked(after=59 * SECOND), asked(after=61 * SECOND))
    assert kept.counts == {"miss": 2, "hit": 1}
    assert again == first == asked().assessment()
    assert later.assessed_at != first.assessed_at


def test_a_result_is_kept_for_a_minute_at_most() -> None:
    """However long answers count as fresh: what lies ahead, or six hours back, counts or not by the moment."""
    kept = Kept(seconds=3_600.0)
    first, _, later = assessments(kept, asked(), asked(after=59 * SECOND), asked(after=61 * SECOND))
    assert kept.counts == {"miss": 2, "hit": 1}
    assert later.assessed_at != first.assessed_at


def test_a_moment_that_is_told_as_a_day_is_no_fault() -> None:
    """As with `clock = "latest"` that of a patient whose death is recorded as a date may be."""
    kept = Kept()
    day = msgspec.structs.replace(asked(), at=datetime.combine(AT.date(), time.max, tzinfo=WHOLE_DAY))
    first, again = assessments(kept, day, day)
    assert first.assessed_at == AT.date().isoformat()
    assert again == first


def test_how_the_record_came_is_of_the_call() -> None:
    """Ledger and notices are those of this call, whichever made the result."""
    kept = Kept()
    read, from_cache = asked(with_ledger(READ)), asked(with_ledger(FROM_CACHE), after=SECOND)
    first, again = assessments(kept, read, from_cache)
    assert kept.counts == {"miss": 1, "hit": 1}
    assert (first.retrieval, again.retrieval) == ((READ,), (FROM_CACHE,))
    expected = from_cache.assessment()
    assert [notice.code for notice in expected.notices if notice.code == "cached"] == ["cached"]
    assert again.notices == expected.notices


def other_package() -> Package:
    loaded = copy(package())
    loaded.digest = "0" * 64
    return loaded


def without_one() -> PatientRecord:
    return record("demo-lung", chart("demo-lung")[:-1])


@pytest.mark.parametrize(
    "other",
    [
        asked(without_one()),
        asked(msgspec.structs.replace(record("demo-lung"), bases=("https://other.example",))),
        asked(with_ledger(msgspec.structs.replace(READ, state="partial"))),
        asked(with_ledger(msgspec.structs.replace(READ, reason="the server could not be reached"))),
        asked(with_ledger(msgspec.structs.replace(FROM_CACHE, reason="the server could not be reached"))),
        asked(with_ledger(READ), after=timedelta(days=1)),
        asked(with_ledger(READ), package=other_package()),
        asked(with_ledger(READ), demonstration=True),
        asked(with_ledger(READ), showing=Showing("detail", "treating")),
        asked(with_ledger(READ), with_interactions=True),
        asked(with_ledger(READ), emergency=True),
        msgspec.structs.replace(asked(with_ledger(READ)), barred="restricted"),
        msgspec.structs.replace(asked(with_ledger(READ)), barred="objection-unknown"),
    ],
)
def test_another_question_is_not_answered_by_it(other: Scoring) -> None:
    """Nothing that a result depends on is left out of its name."""
    assert label_of(other) != label_of(asked(with_ledger(READ)))


def test_a_record_has_the_same_name_from_the_cache_of_records() -> None:
    """Written and read again it is the same record, whatever is left out of the writing."""
    whose = record("demo-lung")
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(whose.entries), type=tuple[Entry, ...])
    assert read == whose.entries
    assert label_of(asked(msgspec.structs.replace(whose, entries=read))) == label_of(asked(whose))


def test_what_is_not_scored_is_not_kept() -> None:
    """An abstention is made anew: what it says may be mended by now."""
    kept = Kept()
    assessments(kept, asked(record("demo-no-cancer")), asked(record("demo-no-cancer")))
    assert kept.counts == {"miss": 2}


@pytest.mark.parametrize(
    ("store", "counts"), [(Down(now), {"down": 2, "not-kept": 2}), (Garbled(now), {"miss": 1, "unreadable": 1})]
)
def test_a_store_without_an_answer_costs_a_scoring(store: ExpiringStore, counts: dict[str, int]) -> None:
    """Down, or of another mind: the assessment is the same, and it is counted."""
    kept = Kept(store)
    assert assessments(kept, asked(), asked()) == [asked().assessment()] * 2
    assert kept.counts == counts


def test_without_a_time_nothing_is_kept() -> None:
    """`cache.fresh_seconds` 0: the store is not even asked."""
    kept = Kept(Down(now), seconds=0)
    assert assessments(kept, asked(), asked()) == [asked().assessment()] * 2
    assert not kept.counts


def test_what_there_is_no_room_to_keep_is_counted() -> None:
    """The next call works it out again."""
    kept = Kept(background=Background(most_writings=0))
    assessments(kept, asked(), asked())
    assert kept.counts == {"miss": 2, "not-kept": 2}
