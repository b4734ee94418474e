"""Faults of Redis and of the network before it. Cards are shown all the same; what was not kept is counted."""

from collections.abc import Callable
from typing import Any

import msgspec

from tests.integration.faults.proxy import HOST, Fault
from tests.integration.faults.redis_laboratory import (
    PASSWORD,
    RedisLaboratory,
    fresh,
    redis_laboratory,
    redis_tls_laboratory,
    refusing_laboratory,
    show,
)
from tests.integration.faults.row import Moved, Row, Seen
from tests.unit.service.far_end import HOOK

RedisRow = Row[RedisLaboratory]

_BUSY_SECONDS = 3.0  # a machine that is busy may miss the 0.2 s that the service waits for Redis
_CARD = Seen("call")
_USED = Seen("the same token again", status=401)
_LATER = Seen("feedback", status=503, category="not-kept")
_REPLAY = Moved("oncohooks_replay_memory_down_total", by=3)
_NOT_KEPT = tuple(Moved("oncohooks_not_kept_total", {"what": what}) for what in ("card", "feedback", "shown"))
_SHOWN = Moved("oncohooks_shown_memory_down_total")
_DEAF = ((_CARD, _USED, _LATER), (_REPLAY, *_NOT_KEPT, _SHOWN))
_READ_ONLY = ((_CARD, _USED, _LATER), (_REPLAY, *_NOT_KEPT))  # what was shown can still be read
_CLOSED = (
    tuple(Seen(call, status=401) for call in ("call", "the same token again", "feedback")),
    (Moved("oncohooks_not_admitted_total", {"reason": "memory-of-tokens-down"}, 3),),
)


def _of_network(fault: Fault) -> tuple[Callable[[RedisLaboratory], object], Callable[[RedisLaboratory], float]]:
    """On connections that were good before."""

    def inflict(lab: RedisLaboratory) -> None:
        assert lab.call(fresh(HOOK)).status_code == 200
        lab.kept(3)
        lab.proxy.inflict(fault)

    return inflict, lambda lab: lab.proxy.arrived[fault.kind]


def _becomes_replica(lab: RedisLaboratory) -> None:
    """Of a port that nobody listens on: it keeps what it has and takes nothing new."""
    with lab.administering() as redis:
        redis.execute_command("REPLICAOF", HOST, 1)


def _is_full(lab: RedisLaboratory) -> None:
    with lab.administering() as redis:
        redis.config_set("maxmemory-policy", "noeviction")
        redis.config_set("maxmemory", 1)


def _wants_a_password(lab: RedisLaboratory) -> None:
    with lab.administering() as redis:
        redis.config_set("requirepass", PASSWORD)
    lab.password = PASSWORD
    with lab.administering() as redis:
        redis.client_kill_filter(_type="normal", skipme=True)


def _replaces(lab: RedisLaboratory, replace: Callable[[Any, str], object]) -> None:
    """All that a first call has left; the round's user is the one who was shown its card."""
    lab.user += 1
    assert lab.call(fresh(HOOK)).status_code == 200
    with lab.administering() as redis:
        for name in lab.kept(3):
            replace(redis, name)
    lab.user -= 1


def _by_list(redis: Any, name: str) -> None:
    redis.delete(name)
    redis.rpush(name, "not ours")


def _by_text(redis: Any, name: str) -> None:
    if redis.type(name) == "string":
        redis.set(name, "not ours")


def _shows_expired(lab: RedisLaboratory) -> None:
    assert lab.authority is not None
    with lab.administering() as redis:
        show(redis, lab.authority.expired())


def _refuses(lab: RedisLaboratory) -> None:
    assert lab.call(fresh(HOOK)).status_code == 200
    lab.kept(3)
    lab.proxy.refuse()


def _is_refusing(lab: RedisLaboratory) -> float:
    return lab.proxy.is_refusing


_REFUSED = Row("down: connection refused", "Redis", redis_laboratory, _refuses, _is_refusing, *_DEAF)

_ROWS: tuple[RedisRow, ...] = (
    _REFUSED,
    msgspec.structs.replace(_REFUSED, hits="Redis; `when_redis_is_down` is `refuse`", laboratory=refusing_laboratory,
                            seen=_CLOSED[0], moved=_CLOSED[1]),
    Row("slow: replies 1 s late", "Redis", redis_laboratory, *_of_network(Fault("slow", 1.0)), *_DEAF),
    Row("accepts and never answers", "Redis", redis_laboratory, *_of_network(Fault("silent")), *_DEAF),
    Row("reset in the middle of a reply", "Redis", redis_laboratory, *_of_network(Fault("reset", size=1)), *_DEAF),
    Row(
        "wrong type at our keys",
        "Redis",
        redis_laboratory,
        lambda lab: _replaces(lab, _by_list),
        lambda lab: lab.errors("WRONGTYPE"),
        (_CARD, _USED, Seen("feedback", card=False)),
        (_NOT_KEPT[0], _SHOWN),
    ),
    Row(
        "text that is not ours at our keys, as of another version",
        "Redis",
        redis_laboratory,
        lambda lab: _replaces(lab, _by_text),
        lambda lab: lab.read,
        (_CARD, _USED, Seen("feedback", card=False)),
        (_SHOWN,),
    ),
    Row(
        "READONLY: it became a replica",
        "Redis",
        redis_laboratory,
        _becomes_replica,
        lambda lab: lab.errors("READONLY"),
        *_READ_ONLY,
    ),
    Row(
        "OOM: full, and evicts nothing",
        "Redis",
        redis_laboratory,
        _is_full,
        lambda lab: lab.errors("OOM"),
        *_READ_ONLY,
    ),
    Row(
        "authentication refused",
        "Redis",
        redis_laboratory,
        _wants_a_password,
        lambda lab: lab.errors("NOAUTH"),
        *_DEAF,
    ),
    Row(
        "certificate expired",
        "Redis over TLS",
        redis_tls_laboratory,
        _shows_expired,
        lambda lab: lab.proxy.connections,
        *_DEAF,
    ),
)  # fmt: skip
REDIS_ROWS = tuple(msgspec.structs.replace(row, pause=_BUSY_SECONDS) for row in _ROWS)
