"""What is remembered for a time, in a real Redis: the contract, expiry, refusals, and Redis gone."""

import pytest
from redis import Redis

from service.clock import Now
from service.state.expiring import ExpiringStore
from service.state.expiring_redis import RedisExpiring
from service.state.feedback import StateDownError
from tests.integration.redis_server import RedisServer
from tests.unit.service.state.expiring_contract import Clock, ExpiringContract


async def get_and_put(store: ExpiringStore) -> None:
    await store.get("a")
    await store.put("a", b"1", 60)


class TestRedis(ExpiringContract):
    @pytest.fixture(autouse=True)
    def _redis(self, redis: RedisServer) -> None:
        self.redis = redis

    def store(self, now: Now) -> ExpiringStore:  # noqa: ARG002 - Redis has a clock of its own
        return RedisExpiring.at(self.redis.address, "oncohooks:shown:", 1.0)

    def test_everything_expires_by_itself(self, clock: Clock) -> None:
        """Each value after its own time."""

        async def steps(store: ExpiringStore) -> None:
            await store.put("a", b"1", 60)
            await store.put("b", b"2", 6_000)

        self.run(clock, steps)
        with Redis.from_url(self.redis.address, decode_responses=True) as asking:
            left = {name: int(asking.ttl(name)) for name in asking.scan_iter()}
        assert left.keys() == {"oncohooks:shown:a", "oncohooks:shown:b"}
        assert 0 < left["oncohooks:shown:a"] <= 60 < left["oncohooks:shown:b"] <= 6_000

    @pytest.mark.parametrize(
        "trouble",
        [
            ("HSET", "oncohooks:shown:a", "field", "1"),  # a value of another type, where one is read
            ("REPLICAOF", "127.0.0.1", "1"),  # READONLY
            ("CONFIG", "SET", "maxmemory", "1"),  # out of memory
            ("CONFIG", "SET", "requirepass", "s3cret"),  # NOAUTH
            ("ACL", "SETUSER", "default", "-set", "-get"),  # NOPERM
        ],
    )
    def test_whatever_redis_refuses_is_down(self, clock: Clock, trouble: tuple[str, ...]) -> None:
        """Wrong type, READONLY, OOM, NOAUTH, NOPERM; no error of Redis gets past the store."""
        with Redis.from_url(self.redis.address) as asking:
            asking.execute_command(*trouble)

        async def steps(store: ExpiringStore) -> None:
            with pytest.raises(StateDownError):
                await get_and_put(store)

        self.run(clock, steps)

    def test_redis_that_is_gone_is_down(self, clock: Clock) -> None:
        """Whatever is asked of it."""
        self.redis.stop()

        async def steps(store: ExpiringStore) -> None:
            for call in (store.put("a", b"", 1), store.get("a")):
                with pytest.raises(StateDownError):
                    await call

        self.run(clock, steps)
