"""The table of factors: what distinguishes this patient from a typical one of the group, both ways at equal weight."""

from datetime import datetime

import msgspec

from service.assessment import Assessment
from service.attribution import Factor, others
from service.labels import beside_value
from service.language.sentences import Language
from service.statement.summary import has_own_group
from service.wording import age_text, factor_text, feature_of, number, value_text

EACH_WAY = 5
ELSEWHERE = "°"  # marks a factor that was learned from other cancer types
_NOTABLE = 0.005  # log-risk below which a factor is part of "the others"


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
    """The strongest factors against a typical patient, at most five either way, and the rest in one or two lines."""
    # the tumour type is what the group has in common: it tells the patient apart from no one in it
    telling = [f for f in assessment.attribution if not feature_of(f.feature).is_entity]
    notable = [f for f in telling if abs(f.relevance - f.typical) >= _NOTABLE]
    worse = [f for f in notable if f.relevance > f.typical][:EACH_WAY]
    better = [f for f in notable if f.relevance < f.typical][:EACH_WAY]
    own = has_own_group(assessment)
    rows = [_row("less-favourable", f, at, language, own_group=own) for f in worse]
    rows += [_row("more-favourable", f, at, language, own_group=own) for f in better]
    rest = [f for f in assessment.attribution if f not in worse and f not in better]
    for mark in ("", ELSEWHERE):
        together = tuple(f for f in rest if _mark(f, own_group=own) == mark)
        if together:
            named = language.counted("others", len(together))
            rows.append(Row("", f"{named}{mark}", factor=factor_text(others(together).factor, language)))
    columns = ("direction", "input", "value", "age", "patients", "factor")
    return Table(
        language.say("factors-heading"), tuple(language.say(f"column-{name}") for name in columns), tuple(rows)
    )


def learned_elsewhere(assessment: Assessment, language: Language) -> str:
    """What the mark in the table means; "" where it does not stand there."""
    own = has_own_group(assessment)
    if not any(_mark(factor, own_group=own) for factor in assessment.attribution):
        return ""
    return language.say("learned-elsewhere", mark=ELSEWHERE)


def _mark(factor: Factor, *, own_group: bool) -> str:
    return ELSEWHERE if own_group and factor.evidence is not None and factor.evidence.origin == "setting" else ""


def _row(direction: str, factor: Factor, at: datetime, language: Language, *, own_group: bool) -> Row:
    feature = feature_of(factor.feature)
    # an age or a sex has no age of its own
    dated = feature.modality != "demographics"
    return Row(
        language.say(direction),
        beside_value(factor.feature, language) + _mark(factor, own_group=own_group),
        value_text(feature, factor.value, language),
        age_text(factor.effective, at, language) if dated else "",
        number(factor.evidence.patients, language) if factor.evidence else "",
        factor_text(factor.factor, language),
    )
