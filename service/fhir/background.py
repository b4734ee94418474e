"""What goes on after a reply: reading what came too late for it, and keeping what was read."""

import asyncio
import logging
from collections.abc import Coroutine, Hashable
from typing import Any

_logger = logging.getLogger(__name__)
_MOST_READINGS = 8
_MOST_WRITINGS = 64


class Background:
    """Bounded in number, one reading at a time of each patient. What fails is logged by its type, and over."""

    def __init__(self, most_readings: int = _MOST_READINGS, most_writings: int = _MOST_WRITINGS) -> None:
        self._most_readings = most_readings
        self._most_writings = most_writings
        self._readings: dict[Hashable, asyncio.Task[None]] = {}
        self._writings: set[asyncio.Task[None]] = set()

    def has_room_for(self, patient: Hashable) -> bool:
        return patient not in self._readings and len(self._readings) < self._most_readings

    def read(self, patient: Hashable, work: Coroutine[Any, Any, None]) -> None:
        """Go on reading; where there is no room, the work is not begun."""
        if not self.has_room_for(patient):
            work.close()
            return
        task = self._readings[patient] = asyncio.create_task(_quietly(work))
        task.add_done_callback(lambda _: self._readings.pop(patient, None))
        task.add_done_callback(lambda _: work.close())  # where it ended before it began

    def write(self, work: Coroutine[Any, Any, None]) -> bool:
        """Keep something; where too much is being kept already, this is not. Whether it is."""
        if len(self._writings) >= self._most_writings:
            work.close()
            return False
        task = asyncio.create_task(_quietly(work))
        self._writings.add(task)
        task.add_done_callback(self._writings.discard)
        task.add_done_callback(lambda _: work.close())
        return True

    async def close(self) -> None:
        """End the readings, and wait for them and for what is being kept."""
        await asyncio.sleep(0)  # what was begun just now gets to where it tidies up
        for task in self._readings.values():
            task.cancel()
        running = [*self._readings.values(), *self._writings]
        if running:
            await asyncio.wait(running)

    async def settled(self) -> None:
        """Wait until nothing goes on any more."""
        while running := [*self._readings.values(), *self._writings]:
            await asyncio.wait(running)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - nobody waits for it; its message could hold a value
        _logger.warning("after a reply: %s", type(error).__name__)
