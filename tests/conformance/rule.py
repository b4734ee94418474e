"""One requirement as a check over exchanges, with wrong exchanges that the check must reject."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from tests.conformance.exchange import ANSWERED, Case, Exchange

Things = Callable[[Exchange], Iterable[Any]]
Mutant = Callable[[Exchange], Exchange | None]
REMOVED = object()  # a member with this value is taken away
_NOT_FOLLOWED = (AttributeError, IndexError, KeyError, TypeError, ValueError)


class Rule(NamedTuple):
    """Everything that `things` finds in an exchange must have `holds`.

    `never_sent`: why today's replies hold no such thing; a wrong one would be rejected all the same.
    """

    ids: tuple[str, ...]
    things: Things
    holds: Callable[[Any], bool]
    mutants: tuple[Mutant, ...] = ()
    never_sent: str = ""

    @property
    def name(self) -> str:
        return self.holds.__name__

    def seen(self, exchange: Exchange) -> int:
        """How many things the exchange holds for this rule; -1 where it cannot be followed so far."""
        try:
            return sum(1 for _ in self.things(exchange))
        except _NOT_FOLLOWED:
            return -1

    def met(self, exchange: Exchange) -> bool:
        try:
            return all(self.holds(thing) for thing in self.things(exchange))
        except _NOT_FOLLOWED:
            return False


def of(*cases: Case) -> Things:
    """The exchanges of these cases, whole."""
    return lambda exchange: [exchange] if exchange.case in cases else []


def services(exchange: Exchange) -> list[dict[str, Any]]:
    return list(exchange.body["services"]) if exchange.case is Case.DISCOVERY else []


def templates(exchange: Exchange) -> list[str]:
    """Every prefetch template of discovery."""
    return [template for service in services(exchange) for template in service["prefetch"].values()]


def cards(exchange: Exchange) -> list[dict[str, Any]]:
    return list(exchange.body["cards"]) if exchange.case in ANSWERED else []


def sources(exchange: Exchange) -> list[dict[str, Any]]:
    return [card["source"] for card in cards(exchange)]


def members(things: Things, name: str) -> Things:
    """The values of a member, where it is there."""
    return lambda exchange: [thing[name] for thing in things(exchange) if name in thing]


def items(things: Things, name: str) -> Things:
    """The items of an array member, where it is there."""
    return lambda exchange: [item for values in members(things, name)(exchange) for item in values]


def reply(case: Case, **changed: Any) -> Mutant:
    """Another status, other headers or another body in the exchanges of a case."""
    return lambda exchange: replace(exchange, **changed) if exchange.case is case else None


def without_header(case: Case, name: str) -> Mutant:
    def mutate(exchange: Exchange) -> Exchange | None:
        kept = {key: value for key, value in exchange.headers.items() if key != name}
        return replace(exchange, headers=kept) if exchange.case is case else None

    return mutate


def service(**changed: Any) -> Mutant:
    """Discovery with other members in its first service."""

    def mutate(exchange: Exchange) -> Exchange | None:
        if exchange.case is not Case.DISCOVERY:
            return None
        body = copy.deepcopy(exchange.body)
        _change(body["services"][0], changed)
        return replace(exchange, body=body)

    return mutate


def template(text: str) -> Mutant:
    """Discovery with one more template."""

    def mutate(exchange: Exchange) -> Exchange | None:
        if exchange.case is not Case.DISCOVERY:
            return None
        body = copy.deepcopy(exchange.body)
        body["services"][0]["prefetch"]["more"] = text
        return replace(exchange, body=body)

    return mutate


def card(*path: str, **changed: Any) -> Mutant:
    """A reply with other members in its first card, or in the object that `path` leads to."""

    def mutate(exchange: Exchange) -> Exchange | None:
        if exchange.case not in ANSWERED or not exchange.body["cards"]:
            return None
        body = copy.deepcopy(exchange.body)
        target = body["cards"][0]
        for step in path:
            target = target[int(step) if step.isdecimal() else step]
        _change(target, changed)
        return replace(exchange, body=body)

    return mutate


def answer(**changed: Any) -> Mutant:
    """A reply with other members beside `cards`, or other cards."""

    def mutate(exchange: Exchange) -> Exchange | None:
        if exchange.case not in ANSWERED:
            return None
        body = copy.deepcopy(exchange.body)
        _change(body, changed)
        return replace(exchange, body=body)

    return mutate


def _change(target: dict[str, Any], changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        if value is REMOVED:
            target.pop(name, None)
        else:
            target[name] = value
