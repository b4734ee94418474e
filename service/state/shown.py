"""What is remembered of cards that were shown, for as long as it matters: one contract, here in this process's memory.

Names are keyed hashes; what they stand for is `service.cds_hooks.quiet_cards`' business.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from service.clock import Now

_MANY = 100_000


class ShownStore(Protocol):
    """Values by name, each for a time. Every method but `close` raises `feedback.StateDownError`."""

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value for so long, in place of an earlier one."""
        ...

    async def get(self, *names: str) -> Sequence[bytes | None]:
        """The value of each name; None where there is none, or its time is over."""
        ...

    async def close(self) -> None: ...


class ProcessShown:
    """In this process only, gone with it, and no more than a hundred thousand: for a sandbox."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._kept: dict[str, tuple[bytes, datetime]] = {}

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        self._kept.pop(name, None)  # the newest stands last
        self._kept[name] = value, self._now() + timedelta(seconds=seconds)
        while len(self._kept) > _MANY:
            del self._kept[next(iter(self._kept))]

    async def get(self, *names: str) -> Sequence[bytes | None]:
        found = [self._kept.get(name) for name in names]
        return [one[0] if one and one[1] > self._now() else None for one in found]

    async def close(self) -> None:
        return
