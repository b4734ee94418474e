"""Reading again what failed in a way that may pass: never beyond the deadline, never so often that it adds to the load.

A retry waits a random part of a doubling pause (full jitter: clients that failed together do not come back together)
or as long as the server asks, and is paid for from a budget that the server's requests fill.
"""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from service.errors import FhirError, NotAskedError

ATTEMPTS = 3
PASSING = frozenset({429, 502, 503, 504})  # statuses that may be another one in a moment
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_LONGEST_WAIT = 10.0  # a server that wants to be left alone for longer is: the caller is told instead
_SHARE, _BURST = 0.1, 5.0
_Answer = TypeVar("_Answer")


class AgainError(Exception):
    """An attempt failed in a way that may pass, after `wait` seconds where the server has said so.

    `told` is what the caller hears if it is not tried again.
    """

    def __init__(self, told: FhirError, wait: float = 0.0) -> None:
        super().__init__(str(told))
        self.told = told
        self.wait = wait


class Budget:
    """The retries that one server's requests have earned: one for ten requests, and five to begin with."""

    def __init__(self) -> None:
        self._left = _BURST

    def earn(self) -> None:
        self._left = min(_BURST, self._left + _SHARE)

    def spend(self) -> bool:
        """Whether there was one left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def retried(
    attempt: Callable[[], Awaitable[_Answer]],
    budget: Budget,
    until: float = math.inf,
    draw: Callable[[], float] = random.random,
) -> _Answer:
    """What the attempt gives. `until` is a moment of the running loop's `time()`; `draw` gives 0 to 1.

    Raises the `told` of the last AgainError, and everything else that the first attempt raises, or a further one that
    reached the server.
    """
    now = asyncio.get_running_loop().time
    budget.earn()
    number = 1
    before: FhirError | None = None
    while True:
        try:
            return await attempt()
        except NotAskedError as error:
            raise before or error from error.__cause__  # what the server itself did tells more
        except AgainError as error:
            before = error.told
            pause = error.wait + draw() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (number - 1))
            has_time = pause <= _LONGEST_WAIT + _LONGEST_PAUSE and now() + pause < until
            if number == ATTEMPTS or not has_time or not budget.spend():
                raise error.told from error.__cause__
        await asyncio.sleep(pause)
        number += 1


def wait_of(retry_after: str, date: str = "") -> float:
    """The seconds that `Retry-After` asks for, 0 where it asks for none (RFC 9110, 10.2.3: seconds, or a date).

    A date is read beside the server's own `Date`: its clock need not be ours.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    moment = _moment(text)
    if moment is None:
        return 0.0
    return max(0.0, (moment - (_moment(date) or datetime.now(UTC))).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):  # the last: a year or an offset of many digits
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
