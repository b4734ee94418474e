"""The memory of used tokens, in this process and in a file; tests/integration has the one in Redis."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from service.state.replay import FallingBack, ProcessReplay, Replay, ReplayDownError, SqliteReplay
from tests.unit.service.state.replay_contract import Clock, ReplayContract


class OurClock(ReplayContract):
    """What is true of the memories that look at the clock themselves."""

    def test_after_its_time_a_token_is_forgotten(self, clock: Clock) -> None:
        """It could not be good any more."""

        async def steps(replay: Replay) -> list[bool]:
            first = await replay.first_use("a", "1", 60)
            clock.now += 61
            return [first, await replay.first_use("a", "1", 60)]

        assert self.run(clock, steps) == [True, True]


class TestProcess(OurClock):
    def replay(self, clock: Clock) -> Replay:
        return ProcessReplay(clock)


class TestFile(OurClock):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.file = tmp_path / "s.sqlite"

    def replay(self, clock: Clock) -> Replay:
        return SqliteReplay(self.file, clock)


def test_a_file_remembers_over_a_restart_and_for_two_processes(tmp_path: Path) -> None:
    """And holds neither issuer nor token id."""
    file = tmp_path / "s.sqlite"

    async def run() -> list[bool]:
        one, other = SqliteReplay(file), SqliteReplay(file)
        used = [
            await one.first_use("https://ehr.example", "id-4711", 60),
            await other.first_use("https://ehr.example", "id-4711", 60),
        ]
        await one.close()
        await other.close()
        again = SqliteReplay(file)
        used.append(await again.first_use("https://ehr.example", "id-4711", 60))
        await again.close()
        return used

    assert asyncio.run(run()) == [True, False, False]
    (kept,) = sqlite3.connect(file).execute("SELECT key FROM used_token").fetchone()
    assert "4711" not in kept
    assert "ehr" not in kept


def test_what_has_expired_is_forgotten(tmp_path: Path) -> None:
    """The file does not grow."""
    clock, file = Clock(), tmp_path / "s.sqlite"

    async def run() -> None:
        replay = SqliteReplay(file, clock)
        for number in range(20):
            await replay.first_use("a", str(number), 10)
        clock.now += 100
        await replay.first_use("a", "last", 10)
        await replay.close()

    asyncio.run(run())
    assert sqlite3.connect(file).execute("SELECT count(*) FROM used_token").fetchone() == (1,)


def test_a_process_does_not_remember_for_ever() -> None:
    """Ten thousand at a time, then what has expired goes."""
    clock = Clock()

    async def run() -> int:
        replay = ProcessReplay(clock)
        for number in range(10_000):
            await replay.first_use("a", str(number), 10)
        clock.now += 11
        await replay.first_use("a", "last", 10)
        return len(replay._until)

    assert asyncio.run(run()) == 1


def test_a_file_that_cannot_be_written_is_down(tmp_path: Path) -> None:
    """Which is said, and is not an admission."""

    async def run() -> None:
        replay = SqliteReplay(tmp_path / "s.sqlite")
        await replay.close()
        with pytest.raises(ReplayDownError):
            await replay.first_use("a", "1", 60)

    asyncio.run(run())


class Flaky:
    """A shared memory that is down from time to time."""

    def __init__(self) -> None:
        self.down = False
        self._inner = ProcessReplay()

    async def first_use(self, issuer: str, token_id: str, seconds: float) -> bool:
        if self.down:
            raise ReplayDownError
        return await self._inner.first_use(issuer, token_id, seconds)

    async def close(self) -> None:
        return


def test_while_the_shared_memory_is_down_the_process_remembers() -> None:
    """Also what it admitted before; and every such call is an alarm."""
    alarms: list[bool] = []

    async def run() -> list[bool]:
        shared = Flaky()
        replay = FallingBack(shared, lambda: alarms.append(True))
        used = [await replay.first_use("a", "1", 60)]
        shared.down = True
        used += [await replay.first_use("a", token_id, 60) for token_id in ("1", "2", "2")]
        shared.down = False
        return [*used, await replay.first_use("a", "2", 60)]

    assert asyncio.run(run()) == [True, False, True, False, False]
    assert len(alarms) == 3
