import asyncio

import pytest

from service.line import Line


class Place:
    """One place, handed on along a line."""

    def __init__(self) -> None:
        self.line = Line()
        self.had: list[str] = []
        self.is_free = False

    def hand_on(self) -> None:
        self.is_free = not self.line.call_next()

    async def one(self, name: str) -> None:
        await self.line.wait(self.hand_on)
        self.had.append(name)
        self.hand_on()


async def waiting(place: Place, *names: str) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(place.one(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


def test_who_came_first_is_called_first() -> None:
    """And the place is free once nobody waits any more."""

    async def run() -> None:
        place = Place()
        tasks = await waiting(place, "a", "b", "c")
        place.hand_on()
        await asyncio.wait(tasks)
        assert place.had == ["a", "b", "c"]
        assert place.is_free

    asyncio.run(run())


@pytest.mark.parametrize("is_called", [False, True])
def test_who_is_cancelled_in_the_moment_of_the_call_is_passed_over(*, is_called: bool) -> None:
    """Before it can leave the line, or just after it was called: the next one has the place, and it is free after."""

    async def run() -> None:
        place = Place()
        gone, following = await waiting(place, "gone", "next")
        if is_called:
            place.hand_on()
        gone.cancel()
        if not is_called:
            place.hand_on()
        await asyncio.wait([gone, following])
        assert place.had == ["next"]
        assert place.is_free
        assert len(place.line) == 0

    asyncio.run(run())
