"""What is remembered of shown cards in Redis, for all replicas. Everything expires by itself."""

from collections.abc import Sequence

from redis.asyncio import Redis

from service.state.feedback import StateDownError
from service.state.redis_client import LOST, tried_once

_PREFIX = "oncohooks:shown:"


class RedisShown:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @classmethod
    def at(cls, address: str, patience: float) -> "RedisShown":
        """One that is tried once and waited for no longer than `patience` seconds: a clinician waits behind it."""
        return cls(tried_once(address, patience))

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        try:
            await self._redis.set(_PREFIX + name, value, ex=seconds)
        except LOST as error:
            raise StateDownError from error

    async def get(self, *names: str) -> Sequence[bytes | None]:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.get(_PREFIX + name)
                found: list[bytes | None] = await pipe.execute()
        except LOST as error:
            raise StateDownError from error
        return found

    async def close(self) -> None:
        await self._redis.aclose()
