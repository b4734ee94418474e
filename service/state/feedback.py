"""What is kept of cards and of the feedback on them, and where: one contract, here in this process's memory.

Of a patient nothing is kept: a card is its uuid, which is a keyed hash, with cancer type and leading factor by their
keys in the catalogue. Days are UTC. Everything is forgotten after `feedback.days`.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal, Protocol, TypeVar

import msgspec

from service.clock import Now

_MANY = 100_000
_Identity = TypeVar("_Identity")
_Record = TypeVar("_Record")
SHADOW = "shadow:"  # before the uuid of a card that was computed and not shown
Outcome = Literal["accepted", "overridden"]


class StateDownError(Exception):
    """The store cannot be asked."""


class CardIssued(msgspec.Struct, frozen=True, array_like=True):
    """A card that was shown on a day. `entity` and `factor` are parameters' keys, empty where there is none."""

    card: str
    day: date
    service: str
    client: str
    entity: str
    factor: str

    @property
    def is_shadow(self) -> bool:
        return self.card.startswith(SHADOW)


class FeedbackGiven(msgspec.Struct, frozen=True, array_like=True):
    """What became of a card. `at` is when the user acted, by the client's clock; `day` is the day it counts for."""

    card: str
    outcome: Outcome
    at: str
    day: date
    received: date
    service: str
    client: str
    reason: str
    comment: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """The same feedback, sent again, has the same."""
        return self.client, self.card, self.at


class Kept(msgspec.Struct, frozen=True):
    """The feedback since a day; the cards shown since then, and older ones that the feedback is about."""

    cards: Sequence[CardIssued]
    feedback: Sequence[FeedbackGiven]


class FeedbackStore(Protocol):
    """Every method raises StateDownError."""

    async def issued(self, card: CardIssued) -> None:
        """Keep that a card was shown; once for each card and day."""
        ...

    async def given(self, feedback: Sequence[FeedbackGiven]) -> Sequence[FeedbackGiven]:
        """Keep feedback, all or none of it. Returns what was not known before; of equal identities the first stays."""
        ...

    async def kept(self, first: date) -> Kept:
        """All that counts for `first` or a later day."""
        ...

    async def key(self, fresh: bytes) -> bytes:
        """The key of card uuids that all who share this store use: the one kept, else `fresh`, kept from now on."""
        ...

    async def close(self) -> None: ...


def oldest(now: Now, days: int) -> date:
    """The first day that is still kept."""
    return now().date() - timedelta(days)


def new_ones(feedback: Iterable[FeedbackGiven], added: Iterable[object]) -> Sequence[FeedbackGiven]:
    """The feedback that a store says it has added."""
    return [one for one, new in zip(feedback, added, strict=True) if new]


class ProcessFeedback:
    """In this process only, gone with it, and no more than a hundred thousand of each: for a sandbox."""

    def __init__(self, now: Now, days: int) -> None:
        self._now = now
        self._days = days
        self._cards: dict[tuple[str, date], CardIssued] = {}
        self._feedback: dict[tuple[str, str, str], FeedbackGiven] = {}

    async def issued(self, card: CardIssued) -> None:
        self._cards.setdefault((card.card, card.day), card)
        _shorten(self._cards)

    async def given(self, feedback: Sequence[FeedbackGiven]) -> Sequence[FeedbackGiven]:
        new = []
        for one in feedback:
            if one.identity not in self._feedback:
                self._feedback[one.identity] = one
                new.append(one)
        _shorten(self._feedback)
        return new

    async def kept(self, first: date) -> Kept:
        still = oldest(self._now, self._days)
        feedback = [one for one in self._feedback.values() if one.received >= still and one.day >= first]
        about = {one.card for one in feedback}
        cards = [c for c in self._cards.values() if c.day >= still and (c.day >= first or c.card in about)]
        return Kept(cards, feedback)

    async def key(self, fresh: bytes) -> bytes:
        return fresh

    async def close(self) -> None:
        return


def _shorten(kept: dict[_Identity, _Record]) -> None:
    while len(kept) > _MANY:
        del kept[next(iter(kept))]  # the oldest
