"""What is remembered for a time: one contract, here in this process's memory.

Two use it: the memory of shown cards (`cds_hooks.quiet_cards`) and the cache of records (`vault`). Names are keyed
hashes; what they stand for is the users' business.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from service.clock import Now

_MANY = 100_000
MOST_BYTES = 64 * 2**20  # of values
_TIDY = timedelta(minutes=1)


class ExpiringStore(Protocol):
    """Values by name, each for a time. Every method but `close` raises `feedback.StateDownError`."""

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value for so long, in place of an earlier one."""
        ...

    async def get(self, *names: str) -> Sequence[bytes | None]:
        """The value of each name; None where there is none, or its time is over."""
        ...

    async def close(self) -> None: ...


class ProcessExpiring:
    """In this process only, gone with it, and bounded in number and bytes: what was put first goes first.

    What is over leaves at the first `put` after a minute.
    """

    def __init__(self, now: Now, most_bytes: int = MOST_BYTES) -> None:
        self._now = now
        self._most_bytes = most_bytes
        self._bytes = 0
        self._tidy_at = now()
        self._kept: dict[str, tuple[bytes, datetime]] = {}

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        now = self._now()
        if now >= self._tidy_at:
            self._tidy(now)
        self._drop(name)  # the newest stands last
        self._kept[name] = value, now + timedelta(seconds=seconds)
        self._bytes += len(value)
        while len(self._kept) > _MANY or self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    async def get(self, *names: str) -> Sequence[bytes | None]:
        now = self._now()
        for name in names:
            if name in self._kept and self._kept[name][1] <= now:
                self._drop(name)
        found = [self._kept.get(name) for name in names]
        return [one and one[0] for one in found]

    def _tidy(self, now: datetime) -> None:
        for name in [name for name, (_, until) in self._kept.items() if until <= now]:
            self._drop(name)
        self._tidy_at = now + _TIDY

    def _drop(self, name: str) -> None:
        value, _ = self._kept.pop(name, (b"", None))
        self._bytes -= len(value)

    async def close(self) -> None:
        return
