"""What every memory of shown cards does, wherever it keeps them."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from service.clock import Now
from service.state.shown import ShownStore


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


class ShownContract:
    """Subclassed once for each store."""

    @abstractmethod
    def store(self, now: Now) -> ShownStore:
        """A store. Two calls in a test open the same, where it can be shared."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    def run(self, clock: Clock, steps: Callable[[ShownStore], Awaitable[None]]) -> None:
        async def run() -> None:
            store = self.store(clock)
            try:
                await steps(store)
            finally:
                await store.close()

        asyncio.run(run())

    def test_what_was_put_is_there_in_the_order_of_the_asking(self, clock: Clock) -> None:
        """Bytes of any kind by their names, None for what nobody put, the newest value where a name was put twice."""

        async def steps(store: ShownStore) -> None:
            await store.put("a", b"old", 60)
            await store.put("a", b"\x00\xff", 60)
            await store.put("b", b"", 60)
            assert list(await store.get("b", "none", "a")) == [b"", None, b"\x00\xff"]
            assert list(await store.get()) == []

        self.run(clock, steps)
