"""One fault: what is done, what the caller sees of it, which meter moves. docs/faults.md is made from these."""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import httpx
import msgspec

from fhir_mappings.record import FOREIGN_PATIENT

JSON = "application/fhir+json"
EVERY = "every query"
_OPEN = ("failed", "partial")
_PRELIMINARY, _EARLIER = "Preliminary: ", "As of "


class Told(msgspec.Struct, frozen=True):
    """What the caller got, as far as two calls can be compared: nothing of moments and of the way."""

    status: int
    category: str = ""
    summaries: tuple[str, ...] = ()
    abstained: str = ""
    risk: float | None = None
    states: Mapping[str, str] = {}
    reasons: Mapping[str, str] = {}
    kept: frozenset[str] = frozenset()  # queries answered by an earlier call

    @classmethod
    def by(cls, answer: httpx.Response) -> "Told":
        if answer.status_code != 200:
            return cls(answer.status_code, _category(answer))
        if "cards" not in (answer.json() if answer.content else {}):
            return cls(200)
        cards = answer.json()["cards"]
        if not cards:
            return cls(200)
        assessment = cards[0]["extension"]["org.oncohooks.assessment"]
        ledger = assessment["retrieval"]
        return cls(
            200,
            "",
            tuple(card["summary"] for card in cards),
            assessment.get("abstained", {}).get("code", ""),
            assessment.get("riskScore"),
            {line["key"]: line["state"] for line in ledger},
            {line["key"]: line["reason"] for line in ledger if "reason" in line},
            frozenset(line["key"] for line in ledger if line["via"] == "cache"),
        )


def _category(answer: httpx.Response) -> str:
    """Of an OperationOutcome that says what to do; "" for an answer without a body (401)."""
    if not answer.content:
        return ""
    assert answer.headers["content-type"] == JSON
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    assert issue["details"]["text"]
    category: str = issue["details"]["coding"][0]["code"]
    return category


def alike(one: Told, other: Told) -> bool:
    """By whatever way the same was had: reasons in a ledger may tell it."""
    return _without_way(one) == _without_way(other)


def _without_way(told: Told) -> Told:
    return msgspec.structs.replace(told, reasons={}, kept=frozenset())


class Seen(msgspec.Struct, frozen=True):
    """What the caller must see of one call. Without any of these: what it saw before.

    `gaps`: queries that are named as not, or not wholly, obtained on a card marked as preliminary, for a reason that
    `why` describes. `stale`: queries that an earlier answer stands in for, on a card that begins with its moment.
    `abstained`: the code of a card without a score.
    """

    call: str = "hook"
    status: int = 200
    category: str = ""
    gaps: tuple[str, ...] = ()
    why: str = ""
    stale: tuple[str, ...] = ()
    abstained: str = ""
    card: bool = True

    def check(self, told: Told, before: Told) -> None:
        assert (told.status, told.category) == (self.status, self.category), told
        if self.status != 200 or not self.card:
            assert not told.summaries
        elif self.gaps:
            self._check_gaps(told, before)
        elif self.stale:
            self._check_stale(told, before)
        elif self.abstained:
            assert len(told.summaries) == 1
            assert (told.abstained, told.risk) == (self.abstained, None)
        else:
            assert told.summaries
            assert alike(told, before)

    def _check_gaps(self, told: Told, before: Told) -> None:
        (summary,) = told.summaries
        assert summary.startswith(_PRELIMINARY), summary
        for key in self.gaps:
            assert told.states[key] in _OPEN, (key, told.states[key])
            assert re.search(self.why, told.reasons[key]), told.reasons[key]
        others = {key: state for key, state in told.states.items() if key not in self.gaps}
        assert others == {key: state for key, state in before.states.items() if key not in self.gaps}
        assert not told.abstained

    def _check_stale(self, told: Told, before: Told) -> None:
        """The same result from the same record; what of it is older, and why, is said."""
        (summary,) = told.summaries
        assert summary.startswith(_EARLIER), summary
        assert told.kept == frozenset(self.stale if self.stale != (EVERY,) else told.states)
        for key in told.kept:
            assert re.search(self.why, told.reasons[key]), (key, told.reasons[key])
        assert (told.risk, told.states) == (before.risk, before.states)

    @property
    def text(self) -> str:
        """As the page has it."""
        if self.status != 200:
            return f"{self.status} `{self.category}`" if self.category else str(self.status)
        if self.gaps:
            return f"a card without what {_named(self.gaps)} would have brought"
        if self.stale:
            return f"a card on what an earlier call had read of {_named(self.stale)}"
        if self.abstained:
            return "a warning card without a score" if self.abstained == FOREIGN_PATIENT else "a card without a score"
        return "the card as before" if self.card else "200"

    @property
    def marker(self) -> str:
        """As the page has it; "" where nothing is missing."""
        if self.status != 200:
            return "OperationOutcome" if self.category else "the status alone"
        if self.gaps:
            gaps = _named(self.gaps)
            return f'summary "Preliminary"; in `retrieval` {gaps} is `failed` or `partial`, with the reason'
        if self.stale:
            return (
                'summary "As of …; newer values may exist", age on the card; '
                f"in `retrieval` {_named(self.stale)} is via `cache`, with the moment and the reason"
            )
        return f"`abstained.code` is `{self.abstained}`" if self.abstained else ""


def _named(keys: tuple[str, ...]) -> str:
    return ", ".join(key if key == EVERY else f"`{key}`" for key in keys)


class Moved(msgspec.Struct, frozen=True):
    """A meter and by how much one round of calls moves it; `at_least` where what is tried again varies."""

    meter: str
    labels: Mapping[str, str] = {}
    by: float = 1
    at_least: bool = False

    def is_met(self, by: float) -> bool:
        return by >= self.by if self.at_least else by == self.by

    @property
    def text(self) -> str:
        within = ", ".join(f'{name}="{value}"' for name, value in self.labels.items())
        name = f"{self.meter}{{{within}}}" if within else self.meter
        return f"`{name}` +{self.by:g}" + (" or more" if self.at_least else "")


class Laboratory(Protocol):
    """A served process, or app, with the far ends of one kind of fault around it, all its own."""

    def calls(self) -> list[Told]:
        """What the caller gets of one round: as many answers as a row's `seen`."""
        ...

    def metrics(self) -> str: ...

    def lift(self) -> None:
        """End the fault."""
        ...


Where = TypeVar("Where", bound=Laboratory)


class Row(msgspec.Struct, Generic[Where], frozen=True):
    """`arrived` asks whoever did it whether the fault was really met: the proxy, the far end, Redis itself.

    `pause`: so many seconds after the fault, at most, a call is as before; 0 is the next call, whenever it comes.
    `warm`: what is usual is asked in the same laboratory, since starting another takes seconds; not where answers are
    kept, which would stand in for those that the fault is to spoil.
    """

    name: str
    hits: str
    laboratory: Callable[[Path], AbstractContextManager[Where]]
    inflict: Callable[[Where], object]
    arrived: Callable[[Where], float]
    seen: tuple[Seen, ...]
    moved: tuple[Moved, ...]
    pause: float = 0.0
    warm: bool = False

    def __str__(self) -> str:
        return f"{self.name}, {self.hits}"


AnyRow = Row[Any]
