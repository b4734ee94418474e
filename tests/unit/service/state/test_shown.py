"""The memory of shown cards in this process and in a file; tests/integration has the one in Redis."""

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from service.clock import Now
from service.state import shown
from service.state.feedback import StateDownError
from service.state.shown import ProcessShown, ShownStore
from service.state.shown_file import SqliteShown
from tests.unit.service.state.shown_contract import Clock, ShownContract


class OurClock(ShownContract):
    """What is true of the stores that look at the clock themselves."""

    def test_a_value_is_forgotten_after_its_time(self, clock: Clock) -> None:
        """Each after its own; put again it lives anew."""

        async def steps(store: ShownStore) -> None:
            await store.put("short", b"1", 60)
            await store.put("long", b"2", 61)
            clock.now += timedelta(seconds=60)
            assert list(await store.get("short", "long")) == [None, b"2"]
            await store.put("short", b"3", 60)
            assert list(await store.get("short")) == [b"3"]

        self.run(clock, steps)


class TestProcess(OurClock):
    def store(self, now: Now) -> ShownStore:
        return ProcessShown(now)

    def test_it_does_not_grow_for_ever(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        """Beyond the limit what was put first goes."""
        monkeypatch.setattr(shown, "_MANY", 2)

        async def steps(store: ShownStore) -> None:
            for name in ("a", "b", "a", "c"):
                await store.put(name, name.encode(), 60)
            assert list(await store.get("a", "b", "c")) == [b"a", None, b"c"]

        self.run(clock, steps)


class TestFile(OurClock):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.file = tmp_path / "state.sqlite"

    def store(self, now: Now) -> ShownStore:
        return SqliteShown(self.file, now)

    def test_it_outlives_its_process_and_is_tidied(self, clock: Clock) -> None:
        """Another process finds what was put; what is over is gone from the file."""

        async def first(store: ShownStore) -> None:
            await store.put("a", b"1", 60)
            await store.put("b", b"2", 6_000)

        async def second(store: ShownStore) -> None:
            assert list(await store.get("a", "b")) == [b"1", b"2"]
            clock.now += timedelta(seconds=60)
            await store.put("c", b"3", 60)

        self.run(clock, first)
        self.run(clock, second)
        with sqlite3.connect(self.file) as db:
            assert db.execute("SELECT name FROM shown ORDER BY name").fetchall() == [("b",), ("c",)]
        db.close()

    def test_a_file_that_cannot_be_used_is_down(self, clock: Clock) -> None:
        """A closed one for every call, a file of another kind at once."""
        store = self.store(clock)
        asyncio.run(store.close())
        for call in (store.put("a", b"", 1), store.get("a")):
            with pytest.raises(StateDownError):
                asyncio.run(call)
        self.file.write_text("no database, but long enough to be looked at" * 20)
        with pytest.raises(StateDownError):
            self.store(clock)
