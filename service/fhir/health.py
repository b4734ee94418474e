"""What all clients of one origin share: its breaker, its room for requests, its budget of retries."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from service.errors import TimedOutError
from service.fhir.breaker import Breaker, Passage
from service.fhir.retrying import Budget
from service.fhir.room import Room

CONNECTIONS = 48


class Health:
    """One origin's, as long as the process lives."""

    def __init__(self, connections: int = CONNECTIONS, breaker: Breaker | None = None) -> None:
        self.breaker = breaker or Breaker()
        self.budget = Budget()
        self._room = Room(connections)
        self._probed = asyncio.Event()  # made anew for each probe

    @asynccontextmanager
    async def admitted(self, until: float = math.inf) -> AsyncIterator[Passage]:
        """Room for one attempt. `until` is a moment of the running loop's `time()`.

        Raises NotAskedError (the breaker is open), TimedOutError (no room before that moment).
        """
        now = asyncio.get_running_loop().time
        self.breaker.check(now())  # before the wait too: it may be long
        async with self._room.taken(until):
            await self._probe_over(until)
            with self._passage(now) as passage:
                yield passage

    async def _probe_over(self, until: float) -> None:
        if not self.breaker.is_probing:
            return  # as nearly always: no timer for it
        try:
            async with asyncio.timeout_at(None if until == math.inf else until):
                while self.breaker.is_probing:  # of those who waited, the first may be the next one
                    await self._probed.wait()
        except TimeoutError as error:
            raise TimedOutError(
                "the server failed before, and has not answered the one request that tries it"
            ) from error

    @contextmanager
    def _passage(self, now: Callable[[], float]) -> Iterator[Passage]:
        over = asyncio.Event()
        try:
            with self.breaker.passage(now) as passage:
                if self.breaker.is_probing:
                    self._probed = over
                yield passage
        finally:
            over.set()
