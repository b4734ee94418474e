"""What every store of cards and feedback does, wherever it keeps them."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import msgspec
import pytest

from service.clock import Now
from service.state.feedback import CardIssued, FeedbackGiven, FeedbackStore

DAYS = 10
TODAY = datetime.now(UTC)  # Redis looks at the real clock too
CARD = CardIssued("c1", TODAY.date(), "prognosis", "https://ehr.example", "entity_nsclc", "lab_albumin")
GIVEN = FeedbackGiven(
    card="c1",
    outcome="overridden",
    at="2026-06-01T10:00:00+00:00",
    day=TODAY.date(),
    received=TODAY.date(),
    service="prognosis",
    client="https://ehr.example",
    reason="disagree",
    comment="a comment",
)
ALWAYS = date(2000, 1, 1)
_T = TypeVar("_T")


class Clock:
    now = TODAY

    def __call__(self) -> datetime:
        return self.now


def changed(one: FeedbackGiven = GIVEN, **members: object) -> FeedbackGiven:
    return msgspec.structs.replace(one, **members)


class FeedbackContract:
    """Subclassed once for each store."""

    @abstractmethod
    def store(self, now: Now) -> FeedbackStore:
        """A store that keeps for DAYS. Two calls in a test open the same, where it can be shared."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    def run(self, clock: Clock, steps: Callable[[FeedbackStore], Awaitable[_T]]) -> _T:
        async def run() -> _T:
            store = self.store(clock)
            try:
                return await steps(store)
            finally:
                await store.close()

        return asyncio.run(run())

    def test_what_was_kept_is_read_again(self, clock: Clock) -> None:
        """Every member of cards and feedback comes back as it was."""
        accepted = changed(card="c2", outcome="accepted", reason="", comment="")

        async def steps(store: FeedbackStore) -> None:
            await store.issued(CARD)
            assert list(await store.given([GIVEN, accepted])) == [GIVEN, accepted]
            kept = await store.kept(ALWAYS)
            assert list(kept.cards) == [CARD]
            assert sorted(kept.feedback, key=lambda one: one.card) == [GIVEN, accepted]

        self.run(clock, steps)

    def test_the_same_feedback_counts_once(self, clock: Clock) -> None:
        """In a batch and over batches: same client, card and time; the first stays."""
        later = changed(at="2026-06-01T10:00:01+00:00")
        elsewhere = changed(client="https://other.example")

        async def steps(store: FeedbackStore) -> None:
            assert list(await store.given([GIVEN, changed(reason="data-wrong")])) == [GIVEN]
            assert list(await store.given([changed(outcome="accepted"), later, elsewhere])) == [later, elsewhere]
            assert list(await store.given([GIVEN, later, elsewhere])) == []
            assert {one.reason for one in (await store.kept(ALWAYS)).feedback} == {"disagree"}

        self.run(clock, steps)

    def test_an_empty_batch_is_nothing(self, clock: Clock) -> None:
        """Nothing new, and no fault."""

        async def steps(store: FeedbackStore) -> None:
            assert list(await store.given([])) == []
            assert await store.kept(ALWAYS) == type(await store.kept(ALWAYS))([], [])

        self.run(clock, steps)

    def test_a_card_counts_once_a_day(self, clock: Clock) -> None:
        """Shown again on the same day it is the same record, the next day another."""

        async def steps(store: FeedbackStore) -> None:
            for shown in (CARD, CARD, msgspec.structs.replace(CARD, day=CARD.day + timedelta(1))):
                await store.issued(shown)
            clock.now += timedelta(1)
            assert len((await store.kept(ALWAYS)).cards) == 2

        self.run(clock, steps)

    def test_only_what_counts_since_a_day_is_read(self, clock: Clock) -> None:
        """And older cards only where that feedback is about them."""
        old, unanswered = (
            msgspec.structs.replace(CARD, card=card, day=CARD.day - timedelta(5)) for card in ("c1", "c2")
        )
        older = changed(card="c3", day=CARD.day - timedelta(5))

        async def steps(store: FeedbackStore) -> None:
            await store.issued(old)
            await store.issued(unanswered)
            await store.given([GIVEN, older])
            kept = await store.kept(CARD.day)
            assert (list(kept.cards), list(kept.feedback)) == ([old], [GIVEN])

        self.run(clock, steps)

    def test_what_is_too_old_is_forgotten(self, clock: Clock) -> None:
        """Feedback by the day on which it came, cards by the day on which they were shown."""
        late = changed(card="c2", at="2020-01-01T00:00:00+00:00", day=date(2020, 1, 1))

        async def steps(store: FeedbackStore) -> None:
            await store.issued(CARD)
            await store.given([GIVEN, late])
            clock.now += timedelta(DAYS)
            kept = await store.kept(ALWAYS)
            assert (len(kept.cards), len(kept.feedback)) == (1, 2)
            clock.now += timedelta(1)
            kept = await store.kept(ALWAYS)
            assert (len(kept.cards), len(kept.feedback)) == (0, 0)

        self.run(clock, steps)
