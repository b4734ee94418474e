"""Which tokens were used: each may open the door once (CDS Hooks best practices: refuse a used `jti`).

What is kept is a hash of issuer and token id, as long as the token could still be good.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis

from service.state.redis_client import LOST, tried_once
from service.state.sqlite_file import connected

_MANY = 10_000
_PATIENCE = 0.2  # seconds


class ReplayDownError(Exception):
    """The memory of used tokens cannot be asked."""


class Replay(Protocol):
    async def first_use(self, issuer: str, token_id: str, seconds: float) -> bool:
        """Whether this token was not used before; it counts as used from now on, for `seconds`.

        Raises ReplayDownError.
        """
        ...

    async def close(self) -> None: ...


class ProcessReplay:
    """In this process only: what another replica admitted is not known here, nor what was before a restart."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    async def first_use(self, issuer: str, token_id: str, seconds: float) -> bool:
        now, key = self._clock(), _key(issuer, token_id)
        if self._until.get(key, 0) > now:
            return False
        if len(self._until) >= _MANY:
            self._until = {known: until for known, until in self._until.items() if until > now}
        self._until[key] = now + seconds
        return True

    async def close(self) -> None:
        return


class SqliteReplay:
    """In one file, for all processes of one machine and over restarts."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        # a loss of power may forget minutes; a call must not wait for discs
        self._db = connected(file, synchronous="OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS used_token (key TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID"
        )
        self._forget_at = 0.0

    async def first_use(self, issuer: str, token_id: str, seconds: float) -> bool:
        now = self._clock()
        try:
            if now >= self._forget_at:
                self._db.execute("DELETE FROM used_token WHERE until <= ?", (now,))
                self._forget_at = now + 60
            added = self._db.execute(
                "INSERT INTO used_token VALUES (?1, ?2) ON CONFLICT DO UPDATE SET until = ?2 WHERE until <= ?3",
                (_key(issuer, token_id), now + seconds, now),
            )
        except sqlite3.Error as error:
            raise ReplayDownError from error
        return added.rowcount == 1

    async def close(self) -> None:
        self._db.close()


class RedisReplay:
    """In Redis, for all replicas: SET key NX EX."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @classmethod
    def at(cls, address: str) -> "RedisReplay":
        """One that is tried once and not waited for: a call stands behind it."""
        return cls(tried_once(address, _PATIENCE))

    async def first_use(self, issuer: str, token_id: str, seconds: float) -> bool:
        try:
            added = await self._redis.set(f"oncohooks:{_key(issuer, token_id)}", 1, nx=True, ex=max(1, round(seconds)))
        except LOST as error:
            raise ReplayDownError from error
        return bool(added)

    async def close(self) -> None:
        await self._redis.aclose()


class FallingBack:
    """Redis, and while it is down this process's own memory; each call that had to is counted."""

    def __init__(self, shared: Replay, alarm: Callable[[], None]) -> None:
        self._shared = shared
        self._own = ProcessReplay()
        self._alarm = alarm

    async def first_use(self, issuer: str, token_id: str, seconds: float) -> bool:
        here = await self._own.first_use(issuer, token_id, seconds)  # also in good times: Redis may be down next time
        try:
            return await self._shared.first_use(issuer, token_id, seconds) and here
        except ReplayDownError:
            self._alarm()
            return here

    async def close(self) -> None:
        await self._shared.close()


def _key(issuer: str, token_id: str) -> str:
    return "jti:" + hashlib.sha256(f"{issuer}\n{token_id}".encode()).hexdigest()
