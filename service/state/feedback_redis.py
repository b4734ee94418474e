"""Cards and feedback in Redis, for all replicas.

A hash for each day holds its cards (many, small); a key for each piece of feedback (few) makes a repetition visible in
one step. Both expire by themselves; whoever shortens `feedback.days` waits for what was kept before.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

import msgspec
from redis.asyncio import Redis

from service.clock import Now
from service.state.feedback import CardIssued, FeedbackGiven, Kept, StateDownError, new_ones, oldest
from service.state.redis_client import LOST, tried_once

_CARDS = "oncohooks:cards:"  # + day
_FEEDBACK = "oncohooks:feedback:"  # + hash of its identity
_KEY = "oncohooks:card-key"
_DAY = 86_400
_AT_ONCE = 1_000

_Name = TypeVar("_Name", str, bytes)
_encode = msgspec.json.Encoder().encode
_card = msgspec.json.Decoder(CardIssued)
_given = msgspec.json.Decoder(FeedbackGiven)


class RedisFeedback:
    def __init__(self, redis: Redis, now: Now, days: int) -> None:
        self._redis = redis
        self._now = now
        self._days = days

    @classmethod
    def at(cls, address: str, now: Now, days: int, patience: float) -> "RedisFeedback":
        """One that is tried once and waited for no longer than `patience` seconds: a call stands behind it."""
        return cls(tried_once(address, patience), now, days)

    async def issued(self, card: CardIssued) -> None:
        name = _cards_of(card.day)
        with _reached():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hsetnx(name, card.card, _encode(card).decode())
                pipe.expireat(name, _end_of(card.day) + self._days * _DAY)
                await pipe.execute()

    async def given(self, feedback: Sequence[FeedbackGiven]) -> Sequence[FeedbackGiven]:
        with _reached():
            async with self._redis.pipeline(transaction=True) as pipe:
                for one in feedback:
                    pipe.set(_name_of(one), _encode(one), nx=True, exat=_end_of(one.received) + self._days * _DAY)
                added = await pipe.execute()
        return new_ones(feedback, added)

    async def kept(self, first: date) -> Kept:
        still = oldest(self._now, self._days)
        with _reached():
            feedback = [one async for one in self._feedback() if one.received >= still and one.day >= first]
            cards = [card async for card in self._cards(max(first, still))]
            unknown = {one.card for one in feedback} - {card.card for card in cards}
            older = [card async for card in self._older(sorted(unknown), still, first)]
        return Kept([*cards, *older], feedback)

    async def key(self, fresh: bytes) -> bytes:
        with _reached():
            await self._redis.set(_KEY, fresh.hex(), nx=True)
            kept = await self._redis.get(_KEY)
        try:
            return bytes.fromhex(kept.decode() if isinstance(kept, bytes) else kept) if kept else fresh
        except ValueError as error:  # somebody else's text
            raise StateDownError from error

    async def close(self) -> None:
        await self._redis.aclose()

    async def _feedback(self) -> AsyncIterator[FeedbackGiven]:
        names = [name async for name in self._redis.scan_iter(f"{_FEEDBACK}*", count=_AT_ONCE)]
        for part in _parts(sorted(set(names))):
            for value in await self._redis.mget(part):
                if value is not None:  # it may have expired meanwhile
                    yield _given.decode(value)

    async def _cards(self, first: date) -> AsyncIterator[CardIssued]:
        for day in _days(first, self._now().date() + timedelta(1)):
            scan = self._redis.hscan_iter(_cards_of(day), count=_AT_ONCE)
            found = {field: value async for field, value in scan}  # a scan may return a field twice
            for value in found.values():
                yield _card.decode(value)

    async def _older(self, cards: Sequence[str], first: date, last: date) -> AsyncIterator[CardIssued]:
        for part in _parts(cards):
            for day in _days(first, last):
                for value in await self._redis.hmget(_cards_of(day), part):
                    if value is not None:
                        yield _card.decode(value)


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except LOST as error:
        raise StateDownError from error


def _cards_of(day: date) -> str:
    return f"{_CARDS}{day.isoformat()}"


def _name_of(one: FeedbackGiven) -> str:
    return _FEEDBACK + hashlib.sha256(_encode(one.identity)).hexdigest()


def _end_of(day: date) -> int:
    """Seconds since 1970."""
    return int(datetime.combine(day, time.min, UTC).timestamp()) + _DAY


def _days(first: date, end: date) -> Iterator[date]:
    """From `first` on, before `end`."""
    return (first + timedelta(number) for number in range((end - first).days))


def _parts(things: Sequence[_Name]) -> Iterator[list[_Name]]:
    return (list(things[start : start + _AT_ONCE]) for start in range(0, len(things), _AT_ONCE))
