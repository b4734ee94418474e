"""The table of factors: what distinguishes this patient from a typical one of the group, both ways at equal weight."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from service.assessment import Assessment
from service.attribution import Factor, others
from service.labels import beside_value
from service.language.sentences import Language
from service.statement.families import Entry, entries
from service.statement.summary import has_own_group
from service.wording import age_text, factor_text, feature_of, number, value_text

EACH_WAY = 5
MEMBERS = 3  # of a family that stand by name
ALSO = "+"  # begins the label of a further member of a family
ELSEWHERE = "°"  # marks a factor that was learned from other cancer types
BORROWED = "*"  # marks a factor that was learned in another setting
NOTABLE = 0.005  # log-risk below which a factor is part of "the others"

_Age = Callable[[str], str]  # when a value was taken -> how old it is, in words


class Row(msgspec.Struct, frozen=True):
    """One line; `direction` (a sign and words, never a hue) is "" for the factors that are taken together."""

    direction: str
    label: str
    value: str = ""
    age: str = ""
    patients: str = ""
    factor: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.direction, self.label, self.value, self.age, self.patients, self.factor)


class Table(msgspec.Struct, frozen=True):
    """`columns` are the headings of a row's cells; the second cell is what the row is about."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def factor_table(assessment: Assessment, at: datetime, language: Language) -> Table:
    """The strongest entries against a typical patient, at most five either way, and the rest in one or two lines.

    An entry is a parameter, or the notable ones of a family: its members in consecutive rows, the joint factor in the
    first.
    """
    own = has_own_group(assessment)
    age = partial(age_text, at=at, language=language, by_hours=assessment.is_emergency)
    shown = _shown(assessment.attribution, own_group=own)
    rows: list[Row] = []
    for direction, ours in shown.items():
        for entry in ours:
            rows += _rows(language.say(direction), entry, age, language, own_group=own)
    named = {factor.feature for ours in shown.values() for entry in ours for factor in entry.members}
    rest: dict[str, list[Factor]] = {"": [], ELSEWHERE: [], BORROWED: []}
    for factor in assessment.attribution:
        if factor.feature not in named:
            rest[_mark(factor, own_group=own)].append(factor)
    for mark, together in rest.items():
        if together:
            counted = language.counted("others", len(together))
            rows.append(Row("", f"{counted}{mark}", factor=factor_text(others(tuple(together)).factor, language)))
    columns = ("direction", "input", "value", "age", "patients", "factor")
    return Table(
        language.say("factors-heading"), tuple(language.say(f"column-{name}") for name in columns), tuple(rows)
    )


def _shown(attribution: tuple[Factor, ...], *, own_group: bool) -> dict[str, list[Entry]]:
    """The entries by direction, strongest first."""
    notable = [f for f in attribution if abs(f.relevance - f.typical) >= NOTABLE]
    # the tumour type is what the group has in common: it tells the patient apart from no one in it
    telling = [f for f in notable if not feature_of(f.feature).is_entity]
    found = [e for e in entries(telling, partial(_mark, own_group=own_group)) if abs(e.distance) >= NOTABLE]
    return {
        "less-favourable": [entry for entry in found if entry.distance > 0][:EACH_WAY],
        "more-favourable": [entry for entry in found if entry.distance < 0][:EACH_WAY],
    }


def learned_elsewhere(assessment: Assessment, language: Language) -> str:
    """What the marks in the table mean; "" where none stands there."""
    own = has_own_group(assessment)
    marks = {_mark(factor, own_group=own) for factor in assessment.attribution}
    meanings = {ELSEWHERE: "learned-elsewhere", BORROWED: "borrowed"}
    return " ".join(language.say(name, mark=mark) for mark, name in meanings.items() if mark in marks)


def _mark(factor: Factor, *, own_group: bool) -> str:
    origin = factor.evidence.origin if factor.evidence is not None else ""
    if origin == "borrowed":
        return BORROWED
    return ELSEWHERE if own_group and origin == "setting" else ""


def _rows(direction: str, entry: Entry, age: _Age, language: Language, *, own_group: bool) -> list[Row]:
    """The entry's members, one a row; of several the first row tells what they mean together."""
    joint = factor_text(entry.factor, language)
    first, *rest = entry.members
    more = len(rest) - MEMBERS + 1
    told = language.say("joint", factor=joint) if rest else joint
    rows = [_row(direction, first, age, language, told=told, own_group=own_group)]
    for member in rest[: MEMBERS - 1]:
        row = _row(direction, member, age, language, told="", own_group=own_group)
        rows.append(msgspec.structs.replace(row, label=f"{ALSO} {row.label}"))
    if more > 0:
        rows.append(Row(direction, f"{ALSO} {language.counted('more', more)}"))
    return rows


def _row(direction: str, factor: Factor, age: _Age, language: Language, *, told: str, own_group: bool) -> Row:
    """One factor; `told` is what its row says of the hazard."""
    feature = feature_of(factor.feature)
    # an age or a sex has no age of its own
    dated = feature.modality != "demographics"
    return Row(
        direction,
        beside_value(factor.feature, language) + _mark(factor, own_group=own_group),
        value_text(feature, factor.value, language),
        age(factor.effective) if dated else "",
        number(factor.evidence.patients, language) if factor.evidence else "",
        told,
    )
