import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from service.turns import Turns, is_urgent, taking, turn


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work

    asyncio.run(bounded())


class Order:
    """Writes down who had a turn."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.done: list[str] = []
        self.has_begun = asyncio.Event()

    async def one(self, name: str, *, urgent: bool = False) -> None:
        with taking(self.turns, urgent=urgent):
            async with turn():
                self.done.append(name)

    async def long(self, name: str, *, urgent: bool) -> None:
        """One who holds the turn for longer than others let arrivals in."""
        async with self.turns.turn(urgent=urgent):
            self.has_begun.set()
            for _ in range(100):
                await asyncio.sleep(0)
            self.done.append(name)


def test_an_emergency_goes_before_those_who_wait() -> None:
    """Whoever works ends, then the emergencies have their turns, then the others in the order they came."""

    async def go() -> None:
        order = Order()
        async with order.turns.turn(urgent=True):
            tasks = [asyncio.create_task(order.one(name)) for name in ("chart 1", "chart 2")]
            await asyncio.sleep(0)
            tasks += [asyncio.create_task(order.one(name, urgent=True)) for name in ("emergency 1", "emergency 2")]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        assert order.done == ["emergency 1", "emergency 2", "chart 1", "chart 2"]

    run(go())


def test_an_emergency_that_comes_while_others_arrive_passes() -> None:
    """Whose turn it is lets arrivals in first, and an emergency among them goes before."""

    async def go() -> None:
        order = Order()
        chart = asyncio.create_task(order.one("chart"))
        await asyncio.sleep(0)  # it has its turn, and lets arrivals in
        await asyncio.gather(order.one("emergency", urgent=True), chart)
        assert order.done == ["emergency", "chart"]

    run(go())


def test_who_lets_an_emergency_pass_keeps_its_place() -> None:
    """It comes next, before those who came after it."""

    async def go() -> None:
        order = Order()
        first = asyncio.create_task(order.one("chart 1"))
        await asyncio.sleep(0)  # it has its turn, and lets arrivals in
        await asyncio.gather(order.one("chart 2"), order.one("emergency", urgent=True), first)
        assert order.done == ["emergency", "chart 1", "chart 2"]

    run(go())


def test_arrivals_do_not_keep_a_turn_away_for_ever() -> None:
    """However many arrive, who was let in gets done."""

    async def go() -> None:
        order = Order()
        chart = asyncio.create_task(order.one("chart"))
        while not chart.done():
            order.turns.arrivals += 1
            await asyncio.sleep(0)
        assert order.done == ["chart"]

    run(go())


@pytest.mark.parametrize("leaves", ["before", "in the moment of the call", "after it"])
def test_who_goes_away_holds_up_nobody(leaves: str) -> None:
    """A call that is cancelled while it waits, or just as its turn comes, leaves the turn to the next."""

    async def go() -> None:
        order = Order()
        async with order.turns.turn(urgent=True):
            first, second = (asyncio.create_task(order.one(name, urgent=True)) for name in ("gone", "next"))
            await asyncio.sleep(0)
            if leaves != "after it":
                first.cancel()
            if leaves == "before":
                await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first, second])
        assert order.done == ["next"]
        await order.one("later")
        assert order.done == ["next", "later"]

    run(go())


def test_who_goes_away_after_giving_way_hands_on_nothing() -> None:
    """A chart that let an emergency pass and is cancelled meanwhile has no turn: the emergency's is still its own."""

    async def go() -> None:
        order = Order()
        gone = asyncio.create_task(order.one("gone"))
        await asyncio.sleep(0)  # it has its turn, and lets arrivals in
        following = asyncio.create_task(order.one("next"))
        emergency = asyncio.create_task(order.long("emergency", urgent=True))
        await order.has_begun.wait()
        gone.cancel()
        await asyncio.wait([gone, following, emergency])
        assert order.done == ["emergency", "next"]

    run(go())


def test_a_fault_gives_the_turn_back() -> None:
    """What fails in its turn does not keep it."""

    async def go() -> None:
        order = Order()
        with pytest.raises(ValueError, match="fault"):
            async with order.turns.turn(urgent=False):
                raise ValueError("fault")
        await order.one("next")
        assert order.done == ["next"]

    run(go())


def test_what_goes_on_after_an_emergency_is_none() -> None:
    """Its reading on, for which nobody waits, does not go before charts."""

    async def go() -> None:
        replied = asyncio.Event()

        async def read_on() -> list[bool]:
            before = is_urgent()
            await replied.wait()
            return [before, is_urgent()]

        with taking(Turns(), urgent=True):
            reading = asyncio.create_task(read_on())
            await asyncio.sleep(0)
        replied.set()
        assert await reading == [True, False]

    run(go())


def test_outside_of_a_call_nobody_waits() -> None:
    """The command line has no turns."""

    async def go() -> None:
        async with turn(), turn():
            pass

    run(go())
