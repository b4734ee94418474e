"""What is remembered for a time, in this process and in a file; tests/integration has the store in Redis."""

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from service.clock import Now
from service.state import expiring
from service.state.expiring import ExpiringStore, ProcessExpiring
from service.state.expiring_file import SqliteExpiring
from service.state.feedback import StateDownError
from tests.unit.service.state.expiring_contract import Clock, ExpiringContract


class OurClock(ExpiringContract):
    """What is true of the stores that look at the clock themselves."""

    def test_a_value_is_forgotten_after_its_time(self, clock: Clock) -> None:
        """Each after its own; put again it lives anew."""

        async def steps(store: ExpiringStore) -> None:
            await store.put("short", b"1", 60)
            await store.put("long", b"2", 61)
            clock.now += timedelta(seconds=60)
            assert list(await store.get("short", "long")) == [None, b"2"]
            await store.put("short", b"3", 60)
            assert list(await store.get("short")) == [b"3"]

        self.run(clock, steps)


class TestProcess(OurClock):
    def store(self, now: Now) -> ExpiringStore:
        return ProcessExpiring(now)

    def test_it_does_not_grow_for_ever(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        """Beyond the limit what was put first goes."""
        monkeypatch.setattr(expiring, "_MANY", 2)

        async def steps(store: ExpiringStore) -> None:
            for name in ("a", "b", "a", "c"):
                await store.put(name, name.encode(), 60)
            assert list(await store.get("a", "b", "c")) == [b"a", None, b"c"]

        self.run(clock, steps)

    def test_its_bytes_are_bounded(self, clock: Clock) -> None:
        """What does not fit beside what came later goes; a value larger than all is not kept."""

        async def steps() -> None:
            store = ProcessExpiring(clock, most_bytes=10)
            for name in ("a", "b", "a", "c"):
                await store.put(name, b"12345", 60)
            assert list(await store.get("a", "b", "c")) == [b"12345", None, b"12345"]
            await store.put("d", bytes(11), 60)
            assert list(await store.get("a", "c", "d")) == [None, None, None]
            await store.put("e", bytes(10), 60)
            clock.now += timedelta(seconds=60)
            assert list(await store.get("e")) == [None]
            await store.put("f", bytes(10), 60)
            assert list(await store.get("f")) == [bytes(10)]

        asyncio.run(steps())

    def test_what_is_over_leaves(self, clock: Clock) -> None:
        """It takes no room from what was put before it and is still good."""

        async def steps() -> None:
            store = ProcessExpiring(clock, most_bytes=10)
            await store.put("long", b"12345", 600)
            await store.put("short", b"12345", 30)
            clock.now += timedelta(seconds=60)
            await store.put("new", b"12345", 60)
            assert list(await store.get("long", "short", "new")) == [b"12345", None, b"12345"]

        asyncio.run(steps())


class TestFile(OurClock):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.file = tmp_path / "state.sqlite"

    def store(self, now: Now) -> ExpiringStore:
        return SqliteExpiring(self.file, now, "shown")

    def test_it_outlives_its_process_and_is_tidied(self, clock: Clock) -> None:
        """Another process finds what was put; what is over is gone from the file."""

        async def first(store: ExpiringStore) -> None:
            await store.put("a", b"1", 60)
            await store.put("b", b"2", 6_000)

        async def second(store: ExpiringStore) -> None:
            assert list(await store.get("a", "b")) == [b"1", b"2"]
            clock.now += timedelta(seconds=60)
            await store.put("c", b"3", 60)

        self.run(clock, first)
        self.run(clock, second)
        with sqlite3.connect(self.file) as db:
            assert db.execute("SELECT name FROM shown ORDER BY name").fetchall() == [("b",), ("c",)]
        db.close()

    def test_each_use_has_a_table_of_its_own(self, clock: Clock) -> None:
        """What one keeps under a name, the other does not see; each is tidied in its own time."""

        async def steps() -> None:
            shown = SqliteExpiring(self.file, clock, "shown")
            cached = SqliteExpiring(self.file, clock, "cached", tidy_seconds=10)
            await shown.put("a", b"1", 5)
            await cached.put("a", b"2", 5)
            assert [*await shown.get("a"), *await cached.get("a")] == [b"1", b"2"]
            clock.now += timedelta(seconds=10)
            await shown.put("b", b"3", 5)
            await cached.put("b", b"4", 5)
            await shown.close()
            await cached.close()

        asyncio.run(steps())
        with sqlite3.connect(self.file) as db:
            names = [db.execute(f"SELECT name FROM {table}").fetchall() for table in ("shown", "cached")]  # noqa: S608
        db.close()
        assert names == [[("a",), ("b",)], [("b",)]]

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
