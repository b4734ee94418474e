import asyncio
import math

import pytest

from service.errors import TimedOutError, UnreachableError
from service.fhir.breaker import Breaker
from service.fhir.health import Health
from service.turns import Turns, taking
from tests.unit.service.skipping_loop import run_skipping


async def hold(health: Health, seconds: float, until: float = math.inf) -> None:
    async with health.admitted(until):
        await asyncio.sleep(seconds)


def test_there_is_room_for_some_at_a_time() -> None:
    """The others wait until one is done."""

    async def run() -> float:
        health = Health(connections=2)
        await asyncio.gather(*(hold(health, 1.0) for _ in range(6)))
        return asyncio.get_running_loop().time()

    assert run_skipping(run()) == pytest.approx(3.0)


def test_an_emergency_is_asked_for_first() -> None:
    """Of those who wait for room, whatever came before it; what is on its way is not broken off."""

    async def run() -> list[str]:
        health, done = Health(connections=1), list[str]()

        async def one(name: str) -> None:
            with taking(Turns(), urgent=name == "emergency"):
                await hold(health, 1.0)
            done.append(name)

        await asyncio.gather(*(one(name) for name in ("chart 1", "chart 2", "emergency", "chart 3")))
        return done

    assert run_skipping(run()) == ["chart 1", "emergency", "chart 2", "chart 3"]


def test_waiting_for_room_ends_with_the_deadline() -> None:
    """A request that finds no room before its deadline has timed out, and leaves the room to others."""

    async def run() -> None:
        health = Health(connections=1)
        first = asyncio.create_task(hold(health, 2.0))
        await asyncio.sleep(0)
        with pytest.raises(TimedOutError):
            await hold(health, 0.0, until=1.0)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)
        await hold(health, 0.0, until=3.0)
        await first

    run_skipping(run())


def test_who_gives_up_waiting_takes_no_room() -> None:
    """A cancelled request, while waiting or while being answered, is no longer there."""

    async def run() -> None:
        health = Health(connections=1)
        tasks = [asyncio.create_task(hold(health, 100.0)) for _ in range(3)]
        await asyncio.sleep(0)
        for task in reversed(tasks):
            task.cancel()
        await asyncio.wait(tasks)
        await hold(health, 0.0, until=1.0)
        assert asyncio.get_running_loop().time() < 1.0

    run_skipping(run())


def test_those_who_wait_hear_that_the_server_is_down() -> None:
    """A breaker that opens meanwhile ends their waiting at their turn, and nobody queues any more."""

    async def run() -> None:
        health = Health(1, Breaker(failures=1))

        async def fails() -> None:
            async with health.admitted() as passage:
                await asyncio.sleep(1.0)
                passage.judge(UnreachableError(""), hurried=False)

        first = asyncio.create_task(fails())
        await asyncio.sleep(0)
        with pytest.raises(UnreachableError, match="not asked"):
            await hold(health, 0.0)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)
        await first
        with pytest.raises(UnreachableError, match="not asked"):
            await hold(health, 0.0)

    run_skipping(run())
