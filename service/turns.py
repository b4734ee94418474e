"""Turns on the one processor of this process: one piece of work at a time, an emergency first.

All calls share one event loop. What decodes and scores holds it for milliseconds; were all calls that are ready to do
so at once, whatever else arrives would wait for every one of them. With turns it waits for the one under way.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar

from service.line import Line

_QUIET_ROUNDS = 4  # a connection is accepted in one, its request read in the next, and begins in the one after
_MOST_ROUNDS = 32  # however many arrive: who was let in must get done


class Turns:
    """Who works, and who waits: emergencies in order of arrival, then the others."""

    def __init__(self) -> None:
        self._taken = False
        self._urgent = Line()
        self._others = Line()
        self.arrivals = 0  # requests so far, counted by who lets them in

    @asynccontextmanager
    async def turn(self, *, urgent: bool) -> AsyncIterator[None]:
        """Work without awaiting anything within it."""
        await self._take(self._urgent if urgent else self._others)
        if not urgent:
            await self._let_in()
        try:
            yield
        finally:
            self._hand_on()

    async def _take(self, line: Line, *, is_first: bool = False) -> None:
        if self._taken:
            await line.wait(self._hand_on, is_first=is_first)
        self._taken = True

    async def _let_in(self) -> None:
        """Let the loop go round until nothing new arrives, and emergencies pass.

        uvloop accepts one connection a round: with work in every round, callers would queue in the kernel, where none
        can be told from another, and none be turned away.
        """
        quiet = 0
        for _ in range(_MOST_ROUNDS):
            arrivals = self.arrivals
            if self._urgent:
                self._hand_on()
                await self._take(self._others, is_first=True)
            else:
                await self._round()
            quiet = quiet + 1 if self.arrivals == arrivals else 0
            if quiet == _QUIET_ROUNDS:
                break

    async def _round(self) -> None:
        """Let the loop go round once; who goes away meanwhile hands the turn on."""
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._hand_on()
            raise

    def _hand_on(self) -> None:
        """Whose turn it is now wakes in the loop's next round, after what has arrived in the meantime."""
        self._taken = self._urgent.call_next() or self._others.call_next()


class _Place:
    """What a call takes its turns from."""

    def __init__(self, turns: Turns, *, urgent: bool) -> None:
        self.turns = turns
        self.urgent = urgent


_place: ContextVar[_Place | None] = ContextVar("turns", default=None)


@contextmanager
def taking(turns: Turns, *, urgent: bool) -> Iterator[None]:
    """Everything within takes its turns from these."""
    place = _Place(turns, urgent=urgent)
    token = _place.set(place)
    try:
        yield
    finally:
        place.urgent = False  # of what it leaves behind, which nobody waits for
        _place.reset(token)


def is_urgent() -> bool:
    """Whether this is part of an emergency."""
    place = _place.get()
    return place is not None and place.urgent


def turn() -> AbstractAsyncContextManager[None]:
    """The turn of the call that this is part of; outside of any (command line, tests) nobody waits."""
    place = _place.get()
    return place.turns.turn(urgent=place.urgent) if place else nullcontext()
