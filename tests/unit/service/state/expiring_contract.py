"""What every store of values for a time does, wherever it keeps them."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from service.clock import Now
from service.state.expiring import ExpiringStore


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


class ExpiringContract:
    """Subclassed once for each store."""

    @abstractmethod
    def store(self, now: Now) -> ExpiringStore:
        """A store. Two calls in a test open the same, where it can be shared."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    def run(self, clock: Clock, steps: Callable[[ExpiringStore], Awaitable[None]]) -> None:
        async def run() -> None:
            store = self.store(clock)
            try:
                await steps(store)
            finally:
                await store.close()

        asyncio.run(run())

    def test_what_was_put_is_there_in_the_order_of_the_asking(self, clock: Clock) -> None:
        """Bytes of any kind by their names, None for what nobody put, the newest value where a name was put twice."""

        async def steps(store: ExpiringStore) -> None:
            await store.put("a", b"old", 60)
            await store.put("a", b"\x00\xff", 60)
            await store.put("b", b"", 60)
            assert list(await store.get("b", "none", "a")) == [b"", None, b"\x00\xff"]
            assert list(await store.get()) == []

        self.run(clock, steps)
