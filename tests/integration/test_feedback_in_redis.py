"""Cards and feedback in a real Redis: the contract, replicas that share it, and Redis gone for a while."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from redis import Redis

from benchmarks.load import free_port
from demo.server import in_process
from service.clock import Now
from service.state.feedback import FeedbackStore, StateDownError
from service.state.feedback_redis import RedisFeedback
from tests.integration.redis_server import RedisServer
from tests.unit.service.far_end import HOOK, PATIENT, full_prefetch, hook_call
from tests.unit.service.state.feedback_contract import ALWAYS, CARD, DAYS, GIVEN, Clock, FeedbackContract, changed

AT = datetime.now(UTC).isoformat()
SECONDS = (DAYS + 1) * 86_400


class TestRedis(FeedbackContract):
    @pytest.fixture(autouse=True)
    def _redis(self, redis: RedisServer) -> None:
        self.redis = redis

    def store(self, now: Now) -> FeedbackStore:
        return RedisFeedback.at(self.redis.address, now, DAYS, 1.0)

    def test_everything_expires_by_itself(self, clock: Clock) -> None:
        """After the days that the site sets, and the key of uuids never."""

        async def steps(store: FeedbackStore) -> None:
            await store.issued(CARD)
            await store.given([GIVEN])
            await store.key(b"k")

        self.run(clock, steps)
        with Redis.from_url(self.redis.address, decode_responses=True) as asking:
            left = {name.split(":")[1]: int(asking.ttl(name)) for name in asking.scan_iter()}
        assert left.keys() == {"cards", "feedback", "card-key"}
        assert left["card-key"] == -1
        assert all(SECONDS - 86_400 <= left[name] <= SECONDS for name in ("cards", "feedback"))

    def test_replicas_agree_on_the_key(self, clock: Clock) -> None:
        """The first one's stays."""

        async def one(store: FeedbackStore) -> bytes:
            return await store.key(b"one\x00\xff")

        async def other(store: FeedbackStore) -> bytes:
            return await store.key(b"other")

        assert (self.run(clock, one), self.run(clock, other)) == (b"one\x00\xff", b"one\x00\xff")

    def test_a_key_that_is_none_is_no_answer(self, clock: Clock) -> None:
        """Text of somebody else where the key should be: the store is as good as down."""
        with Redis.from_url(self.redis.address) as asking:
            asking.set("oncohooks:card-key", "not ours")

        async def steps(store: FeedbackStore) -> None:
            with pytest.raises(StateDownError):
                await store.key(b"k")

        self.run(clock, steps)

    def test_thousands_are_read_in_parts(self, clock: Clock) -> None:
        """No card and no feedback is lost where one reading does not hold them all, older cards included."""
        old = CARD.day - timedelta(3)
        names = [f"c{number}" for number in range(2_500)]

        async def steps(store: FeedbackStore) -> None:
            for number, name in enumerate(names):
                day = old if number % 2 else CARD.day
                await store.issued(msgspec.structs.replace(CARD, card=name, day=day))
            await store.given([changed(card=name) for name in names])
            kept = await store.kept(CARD.day)
            assert len(kept.feedback) == len(kept.cards) == len(names)

        self.run(clock, steps)

    def test_redis_that_is_gone_is_down(self, clock: Clock) -> None:
        """Whatever is asked of it."""
        self.redis.stop()

        async def steps(store: FeedbackStore) -> None:
            for call in (store.issued(CARD), store.given([GIVEN]), store.kept(ALWAYS), store.key(b"k")):
                with pytest.raises(StateDownError):
                    await call

        self.run(clock, steps)


@contextmanager
def replica(redis: RedisServer) -> Iterator[str]:
    """`oncohooks serve` without tokens."""
    port = free_port()
    command = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with in_process(command, env=environment(redis)):
        yield f"http://127.0.0.1:{port}"


def environment(redis: RedisServer) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ONCOHOOKS_")}
    return {**inherited, "ONCOHOOKS_AUTH": "off", "ONCOHOOKS_STATE__REDIS": redis.address}


def card_from(url: str) -> str:
    answer = httpx.post(url + HOOK, json=hook_call(prefetch=full_prefetch()), timeout=10)
    uuid: str = answer.json()["cards"][0]["uuid"]
    return uuid


def give(url: str, card: str) -> httpx.Response:
    entry = {
        "card": card,
        "outcome": "overridden",
        "outcomeTimestamp": AT,
        "overrideReason": {"userComment": "Mrs Canary"},
    }
    return httpx.post(f"{url}{HOOK}/feedback", json={"feedback": [entry]}, timeout=10)


def report(redis: RedisServer) -> Any:
    command = [sys.executable, "-m", "service.cli", "feedback", "report", "--json"]
    return json.loads(subprocess.run(command, env=environment(redis), capture_output=True, check=True).stdout)


def meter(url: str, name: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_replicas_are_one_service(redis: RedisServer) -> None:
    """The same card has the same uuid from both, its feedback counts once, and nothing names the patient."""
    with replica(redis) as one, replica(redis) as other:
        card = card_from(one)
        assert card_from(other) == card
        assert [give(one, card).status_code, give(other, card).status_code] == [200, 200]
    total = report(redis)["total"]
    assert (total["cards"], total["accepted"], total["overridden"]) == (1, 0, 1)
    with Redis.from_url(redis.address) as asking:
        everything = b"".join(name + asking.dump(name) for name in asking.scan_iter())
    assert b"pan-cancer-prognosis" in everything
    assert PATIENT.encode() not in everything
    assert b"Canary" not in everything


def test_redis_may_go_and_come_back(redis: RedisServer) -> None:
    """Meanwhile cards are shown and counted as not kept, and feedback is refused so that it comes again."""
    with replica(redis) as url:
        card = card_from(url)
        for _ in range(1_000):  # a card is kept after its answer
            if "oncohooks:cards:" in "".join(redis.keys()):
                break
            time.sleep(0.01)
        else:
            pytest.fail("the card was not kept within 10 s")
        redis.stop()
        assert card_from(url) == card
        refused = give(url, card)
        assert (refused.status_code, refused.json()["resourceType"]) == (503, "OperationOutcome")
        assert meter(url, 'oncohooks_not_kept_total{what="card"}') == 1
        assert meter(url, 'oncohooks_not_kept_total{what="feedback"}') == 1
        redis.start()
        assert give(url, card).status_code == 200
        assert meter(url, "oncohooks_feedback_total") == 1
    assert report(redis)["total"]["overridden"] == 1
