"""The memory of shown cards in a real Redis: the contract, expiry, and Redis gone."""

import pytest
from redis import Redis

from service.clock import Now
from service.state.feedback import StateDownError
from service.state.shown import ShownStore
from service.state.shown_redis import RedisShown
from tests.integration.redis_server import RedisServer
from tests.unit.service.state.shown_contract import Clock, ShownContract


class TestRedis(ShownContract):
    @pytest.fixture(autouse=True)
    def _redis(self, redis: RedisServer) -> None:
        self.redis = redis

    def store(self, now: Now) -> ShownStore:  # noqa: ARG002 - Redis has a clock of its own
        return RedisShown.at(self.redis.address, 1.0)

    def test_everything_expires_by_itself(self, clock: Clock) -> None:
        """Each value after its own time."""

        async def steps(store: ShownStore) -> None:
            await store.put("a", b"1", 60)
            await store.put("b", b"2", 6_000)

        self.run(clock, steps)
        with Redis.from_url(self.redis.address, decode_responses=True) as asking:
            left = {name: int(asking.ttl(name)) for name in asking.scan_iter()}
        assert left.keys() == {"oncohooks:shown:a", "oncohooks:shown:b"}
        assert 0 < left["oncohooks:shown:a"] <= 60 < left["oncohooks:shown:b"] <= 6_000

    def test_redis_that_is_gone_is_down(self, clock: Clock) -> None:
        """Whatever is asked of it."""
        self.redis.stop()

        async def steps(store: ShownStore) -> None:
            for call in (store.put("a", b"", 1), store.get("a")):
                with pytest.raises(StateDownError):
                    await call

        self.run(clock, steps)
