"""What clinicians did with cards, by week, leading factor and cancer type. Pure: counts of what a store kept.

Small numbers are shown as they are: this is for the site that runs the service. Comments are never in it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from fhir_mappings.concepts import catalogue
from service.cds_hooks.override_reasons import reason_text
from service.state.feedback import CardIssued, FeedbackGiven, Kept

NOT_KNOWN = "unknown-card"
NONE = "none"
_WORDS = {NOT_KNOWN: "card not known here", NONE: "none", "total": "all weeks"}


class Reason(msgspec.Struct, frozen=True):
    key: str
    text: str
    count: int


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One group. `cards`: different cards, each counted once for every week in which it was shown."""

    key: str
    label: str
    cards: int
    accepted: int
    overridden: int
    reasons: tuple[Reason, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """`weeks` from the newest back, the groups by number of cards. `shadow`: cards that were computed and not shown."""

    total: Line
    weeks: tuple[Line, ...]
    factors: tuple[Line, ...]
    entities: tuple[Line, ...]
    shadow: int = 0


def first_day(today: date, weeks: int) -> date:
    """The Monday of the oldest of so many ISO weeks, the present one included."""
    return today - timedelta(today.weekday() + 7 * (weeks - 1))


def report_of(kept: Kept, today: date, weeks: int) -> Report:
    """The report over so many ISO weeks. Feedback counts for the week in which the user acted."""
    first = first_day(today, weeks)
    # a card shown again in the same week is the same card
    issued = {(card.card, card.client, week_of(card.day)): card for card in kept.cards if card.day >= first}
    cards = {name: card for name, card in issued.items() if not card.is_shadow}
    about = {(card.card, card.client): card for card in kept.cards}
    pairs = [(one, about.get((one.card, one.client))) for one in kept.feedback]
    shown = [week_of(first + timedelta(7 * number)) for number in reversed(range(weeks))]

    def lines(group: Callable[[CardIssued], str]) -> tuple[Line, ...]:
        found = _lines(
            (group(card) or NONE for card in cards.values()),
            ((group(card) or NONE if card else NOT_KNOWN, one) for one, card in pairs),
        )
        return tuple(sorted(found.values(), key=lambda line: (-line.cards, line.key)))

    by_week = _lines((week for _, _, week in cards), ((week_of(one.day), one) for one, _ in pairs))
    everything = _lines(("total" for _ in cards), (("total", one) for one, _ in pairs))
    return Report(
        total=everything.get("total", _empty("total")),
        weeks=tuple(by_week.get(week, _empty(week)) for week in shown),
        factors=lines(lambda card: card.factor),
        entities=lines(lambda card: card.entity),
        shadow=len(issued) - len(cards),
    )


def week_of(day: date) -> str:
    """The ISO week: 2026-W48."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _lines(cards: Iterable[str], feedback: Iterable[tuple[str, FeedbackGiven]]) -> Mapping[str, Line]:
    """Counts by group."""
    issued = Counter(cards)
    outcomes: Counter[tuple[str, str]] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for group, one in feedback:
        outcomes[group, one.outcome] += 1
        if one.outcome == "overridden":
            reasons.setdefault(group, Counter())[one.reason] += 1
    return {
        group: Line(
            group,
            _label(group),
            issued[group],
            outcomes[group, "accepted"],
            outcomes[group, "overridden"],
            _reasons(reasons.get(group, {})),
        )
        for group in sorted(issued.keys() | {group for group, _ in outcomes})
    }


def _reasons(counts: Mapping[str, int]) -> tuple[Reason, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Reason(key or NONE, reason_text(key), count) for key, count in ordered)


def _empty(key: str) -> Line:
    return Line(key, _label(key), 0, 0, 0)


def _label(key: str) -> str:
    schema = catalogue().schema
    return schema[key].label_en if key in schema.index else _WORDS.get(key, key)


def as_text(report: Report) -> str:
    """The report for a terminal."""
    parts = [
        _table("Week", (*report.weeks, report.total)),
        _table("Leading factor", report.factors),
        _table("Cancer type", report.entities),
        *([f"In shadow mode {report.shadow} more were computed and not shown."] if report.shadow else []),
        "A card that nobody answered is never reported by an EHR; accepted is out of all that were answered.",
    ]
    return "\n".join(parts)


def _table(head: str, lines: Sequence[Line]) -> str:
    width = max((len(line.label) for line in lines), default=0)
    width = max(width, len(head))
    rows = [f"{head.ljust(width)}  {'cards':>7}  {'accepted':>12}  {'overridden':>10}  reasons"]
    for line in lines:
        answered = f"{line.accepted} of {line.accepted + line.overridden}"
        why = "; ".join(f"{reason.count} {reason.text}" for reason in line.reasons)
        rows.append(
            f"{line.label.ljust(width)}  {line.cards:>7}  {answered:>12}  {line.overridden:>10}  {why}".rstrip()
        )
    return "\n".join([*rows, ""])
