"""The memory of used tokens in a real Redis: the contract, expiry, and what Redis refuses."""

import asyncio

import pytest
from redis import Redis

from service.state.redis_client import tried_once
from service.state.replay import RedisReplay, Replay, ReplayDownError
from tests.integration.redis_server import RedisServer
from tests.unit.service.state.replay_contract import Clock, ReplayContract


class TestRedis(ReplayContract):
    @pytest.fixture(autouse=True)
    def _redis(self, redis: RedisServer) -> None:
        self.redis = redis

    def replay(self, clock: Clock) -> Replay:  # noqa: ARG002 - Redis has a clock of its own
        return RedisReplay(tried_once(self.redis.address, 5.0))  # a busy machine is slower than a hospital

    def test_everything_expires_by_itself(self, clock: Clock) -> None:
        """As long as the token could be good, and a second at least."""

        async def steps(replay: Replay) -> None:
            await replay.first_use("a", "1", 60)
            await replay.first_use("a", "2", 0.1)

        self.run(clock, steps)
        with Redis.from_url(self.redis.address) as asking:
            left = sorted(int(asking.pttl(name)) for name in asking.scan_iter())
        assert 0 < left[0] <= 1_000 < left[1] <= 60_000

    def test_two_replicas_have_one_memory(self, clock: Clock) -> None:
        """What one has admitted the other refuses."""

        async def run() -> list[bool]:
            one, other = self.replay(clock), self.replay(clock)
            used = [await replay.first_use("a", "1", 60) for replay in (one, other)]
            await one.close()
            await other.close()
            return used

        assert asyncio.run(run()) == [True, False]

    @pytest.mark.parametrize(
        "trouble",
        [
            ("REPLICAOF", "127.0.0.1", "1"),  # READONLY
            ("CONFIG", "SET", "maxmemory", "1"),  # out of memory
            ("CONFIG", "SET", "requirepass", "s3cret"),  # NOAUTH
            ("ACL", "SETUSER", "default", "-set"),  # NOPERM
        ],
    )
    def test_whatever_redis_refuses_is_down(self, clock: Clock, trouble: tuple[str, ...]) -> None:
        """READONLY, OOM, NOAUTH, NOPERM: nobody is admitted by an error."""
        with Redis.from_url(self.redis.address) as asking:
            asking.execute_command(*trouble)

        async def steps(replay: Replay) -> None:
            with pytest.raises(ReplayDownError):
                await replay.first_use("a", "1", 60)

        self.run(clock, steps)
