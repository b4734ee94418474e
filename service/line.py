"""Those who wait for a place, in order of arrival."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class Line:
    """Of one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, hand_on: Callable[[], None], *, is_first: bool = False) -> None:
        """Until it is one's turn; who goes away just as it comes hands it on. `is_first`: who had it, and gave way."""
        waiting = asyncio.get_running_loop().create_future()
        if is_first:
            self._waiting.appendleft(waiting)
        else:
            self._waiting.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                hand_on()
            else:
                with suppress(ValueError):  # already passed over
                    self._waiting.remove(waiting)
            raise

    def call_next(self) -> bool:
        """Wake whoever came first; False where nobody waits. One that is cancelled may not have left yet."""
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(None)
                return True
        return False
