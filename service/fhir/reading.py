"""The searches of one call, side by side; what has arrived, and what is on its way."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from fhir_mappings.retrieval import Query
from service.errors import TimedOutError
from service.fhir.answer import Answer
from service.fhir.paging import Search
from service.gaps import LATE
from service.telemetry import stage


class Arrival(msgspec.Struct, frozen=True):
    """What became of one search: an answer, or the error of one that cannot be done without."""

    search: Search
    answer: Answer | None = None
    error: Exception | None = None


class Reading:
    """Begins to read at once. `until` is a moment of the loop's `time()`, at which what is left is given up."""

    def __init__(self, searches: Sequence[Search], concurrency: int, until: float) -> None:
        self._arrived: asyncio.Queue[Arrival] = asyncio.Queue()
        self._open = {search.query.key: search for search in searches}
        self._until = until
        self._room = asyncio.Semaphore(concurrency)
        self._over = asyncio.get_running_loop().create_future()
        self.is_stopped = False
        self._tasks = [asyncio.create_task(self._one(search)) for search in searches]
        self._measured = asyncio.create_task(self._measure())

    @property
    def is_over(self) -> bool:
        """Whether everything has been taken by `next`."""
        return not self._open

    @property
    def left(self) -> list[Query]:
        """What is on its way."""
        return [search.query for search in self._open.values()]

    @property
    def has_more(self) -> bool:
        """Whether something has arrived that `next` would return at once."""
        return not self._arrived.empty()

    async def next(self, until: float) -> Arrival | None:
        """What arrives next; None where nothing has at `until`."""
        try:
            async with asyncio.timeout_at(until):
                arrival = await self._arrived.get()
        except TimeoutError:
            return None
        del self._open[arrival.search.query.key]
        return arrival

    def by_now(self, key: str, why: str) -> Answer | None:
        """What there is of a search that is on its way."""
        search = self._open.get(key)
        return search.by_now(why) if search else None

    async def rest(self) -> list[Answer]:
        """Wait for what is on its way, to `until`. What fails is left out."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        found = []
        while not self._arrived.empty():
            arrival = self._arrived.get_nowait()
            found += [arrival.answer] if arrival.answer else []
        return found

    def leave(self, error: Exception | None = None) -> None:
        """The call goes on without what is on its way, or ends with this error."""
        if self._over.done():
            return
        if error:
            self._over.set_exception(error)
        else:
            self._over.set_result(None)

    async def stop(self) -> None:
        """Nothing is read any more."""
        self.is_stopped = True
        self.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait([*self._tasks, self._measured])

    async def _one(self, search: Search) -> None:
        try:
            async with asyncio.timeout_at(self._until), self._room:
                arrival = Arrival(search, await search.read())
        except TimeoutError:
            if search.needed:
                arrival = Arrival(search, error=TimedOutError(f"{search.query.key}: {LATE}"))
            else:
                arrival = Arrival(search, search.by_now(LATE))
        except Exception as error:  # noqa: BLE001 - raised again by who takes it
            arrival = Arrival(search, error=error)
        self._arrived.put_nowait(arrival)
        if arrival.error or self._arrived.qsize() >= len(self._open):
            self.leave(arrival.error)

    async def _measure(self) -> None:
        """The stage as the call sees it. What ended it is told by `next`."""
        with suppress(Exception), stage("search"):
            await self._over
