"""How many requests one origin is sent at a time, and whose is next: an emergency's before a chart's."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.errors import TimedOutError
from service.line import Line
from service.turns import is_urgent


class Room:
    """For so many requests."""

    def __init__(self, requests: int) -> None:
        self._free = requests
        self._urgent = Line()
        self._others = Line()

    @asynccontextmanager
    async def taken(self, until: float = math.inf) -> AsyncIterator[None]:
        """Room for one. `until` is a moment of the running loop's `time()`. Raises TimedOutError: none before that."""
        if self._free:
            self._free -= 1
        else:
            try:
                async with asyncio.timeout_at(None if until == math.inf else until):
                    await (self._urgent if is_urgent() else self._others).wait(self._give_back)
            except TimeoutError as error:
                raise TimedOutError("too many requests to this server were before it") from error
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        if not (self._urgent.call_next() or self._others.call_next()):
            self._free += 1
