"""A record that was kept in a real Redis is the record that was read; and while Redis is gone, calls go on."""

import asyncio

import pytest
from redis import Redis

from demo.patients import demo_patients
from service.state.expiring_redis import RedisExpiring
from tests.app.hospital import Ward, on_a_ward
from tests.corpus.test_consistency import check_alike
from tests.corpus.ways import ways
from tests.integration.redis_server import RedisServer

PREFIX = "oncohooks:kept:"


def test_the_same_result_comes_from_redis(redis: RedisServer) -> None:
    """For every demonstration patient."""
    charts = demo_patients()
    resources = [resource for chart in charts.values() for resource in chart]

    async def run() -> None:
        store = RedisExpiring.at(redis.address, PREFIX, 5.0)
        async with ways(resources, {"redis": store}) as read:
            for patient in charts:
                check_alike(patient, await read.records(patient))
        await store.close()

    asyncio.run(run())
    with Redis.from_url(redis.address) as asking:
        kept = {name: asking.get(name) for name in asking.scan_iter()}
        assert all(0 < int(asking.ttl(name)) <= 900 for name in kept)
    assert len(kept) > len(charts)
    told = b" ".join([*kept, *kept.values()])
    for chart in charts.values():
        assert chart[0]["id"].encode() not in told
        assert chart[0]["birthDate"].encode() not in told


@pytest.mark.parametrize("gone", [True, False])
def test_a_call_goes_on_while_redis_is_gone(redis: RedisServer, gone: bool) -> None:
    """Everything is read each time, with the same result; with Redis the second call is served from it."""

    async def steps(ward: Ward) -> None:
        if gone:
            redis.stop()
        first = await ward.opened()
        assert {line["via"] for line in first.ledger.values()} == {"search"}
        again = await ward.opened()
        assert {line["via"] for line in again.ledger.values()} == {"search" if gone else "cache"}
        assert again.result == first.result

    on_a_ward(steps, state={"redis": redis.address})


def test_a_result_in_redis_serves_the_next_call_and_tells_nothing(redis: RedisServer) -> None:
    """Sealed as the record is, and gone within a minute."""

    async def steps(ward: Ward) -> None:
        first = await ward.opened()
        ward.clock.pass_by(seconds=5)
        again = await ward.opened()
        assert again.assessment["assessedAt"] == first.assessment["assessedAt"]
        assert again.result == first.result

    on_a_ward(steps, state={"redis": redis.address})
    with Redis.from_url(redis.address) as asking:
        times = {name: int(asking.ttl(name)) for name in asking.scan_iter(f"{PREFIX}*")}
        (result,) = (name for name, seconds in times.items() if seconds <= 60)
        kept = asking.get(result)
    assert isinstance(kept, bytes)
    assert not any(word in kept for word in (b"demo-lung", b"riskScore", b"scored"))
