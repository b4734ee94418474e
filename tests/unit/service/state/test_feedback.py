"""The store of cards and feedback in this process and in a file; tests/integration has the one in Redis."""

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from service.clock import Now
from service.state import feedback
from service.state.feedback import FeedbackStore, ProcessFeedback, StateDownError
from service.state.feedback_file import SqliteFeedback
from tests.unit.service.state.feedback_contract import ALWAYS, CARD, DAYS, GIVEN, TODAY, Clock, FeedbackContract


class TestProcess(FeedbackContract):
    def store(self, now: Now) -> FeedbackStore:
        return ProcessFeedback(now, DAYS)

    def test_it_does_not_grow_for_ever(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        """Beyond the limit the oldest card goes."""
        monkeypatch.setattr(feedback, "_MANY", 2)

        async def steps(store: FeedbackStore) -> None:
            for name in "abc":
                await store.issued(msgspec.structs.replace(CARD, card=name))
            assert [card.card for card in (await store.kept(ALWAYS)).cards] == ["b", "c"]

        self.run(clock, steps)


class TestFile(FeedbackContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.file = tmp_path / "state.sqlite"

    def store(self, now: Now) -> FeedbackStore:
        return SqliteFeedback(self.file, now, DAYS)

    def test_it_is_shared_and_outlives_its_process(self, clock: Clock) -> None:
        """Feedback that one process took is known to another, also after a restart, and so is the key."""

        async def first(store: FeedbackStore) -> bytes:
            await store.given([GIVEN])
            return await store.key(b"one")

        async def second(store: FeedbackStore) -> bytes:
            assert list(await store.given([GIVEN])) == []
            return await store.key(b"other")

        assert (self.run(clock, first), self.run(clock, second)) == (b"one", b"one")

    def test_what_is_forgotten_is_gone_from_the_file(self, clock: Clock) -> None:
        """Also where a site has shortened the time since."""

        async def write(store: FeedbackStore) -> None:
            await store.issued(CARD)
            await store.given([GIVEN])

        self.run(clock, write)
        clock.now += timedelta(5)
        shorter = SqliteFeedback(self.file, clock, 2)
        asyncio.run(shorter.issued(msgspec.structs.replace(CARD, day=clock.now.date())))
        asyncio.run(shorter.close())
        with sqlite3.connect(self.file) as db:
            assert db.execute("SELECT count(*) FROM feedback").fetchone() == (0,)
            assert db.execute("SELECT day FROM card_issued").fetchall() == [(clock.now.date().isoformat(),)]
        db.close()

    def test_a_batch_is_kept_whole_or_not_at_all(self, clock: Clock) -> None:
        """A row that cannot be written takes the others with it, and the file stays good."""

        async def steps(store: FeedbackStore) -> None:
            broken = msgspec.structs.replace(GIVEN, card="c2", reason=None)
            with pytest.raises(StateDownError):
                await store.given([GIVEN, broken])
            assert list(await store.given([GIVEN])) == [GIVEN]

        self.run(clock, steps)

    def test_a_file_that_cannot_be_used_is_down(self, clock: Clock) -> None:
        """A closed one for every call, a file of another kind at once."""
        store = self.store(clock)
        asyncio.run(store.close())
        for call in (store.issued(CARD), store.given([GIVEN]), store.kept(TODAY.date()), store.key(b"x")):
            with pytest.raises(StateDownError):
                asyncio.run(call)
        self.file.write_text("no database, but long enough to be looked at" * 20)
        with pytest.raises(StateDownError):
            self.store(clock)
