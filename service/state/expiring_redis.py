"""What is remembered for a time in Redis, for all replicas. Everything expires by itself."""

from collections.abc import Sequence

from redis.asyncio import Redis

from service.state.feedback import StateDownError
from service.state.redis_client import LOST, tried_once


class RedisExpiring:
    """`prefix` stands before every name, so that each use has keys of its own.

    Whatever Redis refuses (a value of another type, READONLY, out of memory, no permission) is as if it were down.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    @classmethod
    def at(cls, address: str, prefix: str, patience: float) -> "RedisExpiring":
        """One that is tried once and waited for no longer than `patience` seconds: a clinician waits behind it."""
        return cls(tried_once(address, patience), prefix)

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        try:
            await self._redis.set(self._prefix + name, value, ex=seconds)
        except LOST as error:
            raise StateDownError from error

    async def get(self, *names: str) -> Sequence[bytes | None]:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.get(self._prefix + name)
                found: list[bytes | None] = await pipe.execute()
        except LOST as error:
            raise StateDownError from error
        return found

    async def close(self) -> None:
        await self._redis.aclose()
