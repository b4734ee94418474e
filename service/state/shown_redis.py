"""What is remembered of shown cards in Redis, for all replicas. Everything expires by itself."""

from collections.abc import Sequence

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from service.state.feedback import StateDownError

_PREFIX = "oncohooks:shown:"
_LOST = (RedisError, OSError, TimeoutError)


class RedisShown:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @classmethod
    def at(cls, address: str, patience: float) -> "RedisShown":
        """One that is tried once and waited for no longer than `patience` seconds: a clinician waits behind it."""
        retry = Retry(NoBackoff(), 0)
        return cls(Redis.from_url(address, socket_timeout=patience, socket_connect_timeout=patience, retry=retry))

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        try:
            await self._redis.set(_PREFIX + name, value, ex=seconds)
        except _LOST as error:
            raise StateDownError from error

    async def get(self, *names: str) -> Sequence[bytes | None]:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.get(_PREFIX + name)
                found: list[bytes | None] = await pipe.execute()
        except _LOST as error:
            raise StateDownError from error
        return found

    async def close(self) -> None:
        await self._redis.aclose()
