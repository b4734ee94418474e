"""What every memory of used tokens does, wherever it keeps them."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from service.state.replay import Replay

_T = TypeVar("_T")


class Clock:
    """In seconds."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class ReplayContract:
    """Subclassed once for each memory."""

    @abstractmethod
    def replay(self, clock: Clock) -> Replay:
        """A memory. Two calls in a test open the same, where it can be shared."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    def run(self, clock: Clock, steps: Callable[[Replay], Awaitable[_T]]) -> _T:
        async def run() -> _T:
            replay = self.replay(clock)
            try:
                return await steps(replay)
            finally:
                await replay.close()

        return asyncio.run(run())

    def test_the_first_use_is_the_only_one(self, clock: Clock) -> None:
        """The same id of another issuer is another token."""

        async def steps(replay: Replay) -> list[bool]:
            used = (("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"), ("a", "1"))
            return [await replay.first_use(*token, 60) for token in used]

        assert self.run(clock, steps) == [True, False, True, True, False]

    def test_of_many_at_once_one_is_the_first(self, clock: Clock) -> None:
        """However close they come."""

        async def steps(replay: Replay) -> list[bool]:
            return await asyncio.gather(*(replay.first_use("a", "1", 60) for _ in range(20)))

        assert sum(self.run(clock, steps)) == 1
