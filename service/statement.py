"""What is said of an assessment, sentence by sentence: one source for the card and for the command line.

The words and the order of thoughts are those of the clinical review: position first, then the factors for and against
with equal weight, then what was not known, then how to read it. No survival figure and no advice on treatment.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from service.assessment import Assessment, PositionShown
from service.attribution import Factor, others
from service.labels import beside_value, in_sentence
from service.wording import age_text, factor_text, feature_of, number, value_text

SUMMARY_LIMIT = 139  # CDS Hooks: fewer than 140 characters
_EACH_WAY = 5
ELSEWHERE = "°"  # marks a factor that was learned from other cancer types
_NOTABLE = 0.005  # log-risk below which a factor is part of "the others"

RESEARCH_USE = "Research use: not a medical device."
CAVEAT = (
    "Associations, not causes; nothing here says whether a treatment helps. A group estimate for clinicians; it must "
    f"not by itself start, limit or end care. {RESEARCH_USE}"
)
# notices on how the service runs: they stand first, the others with what is not known
RUNNING = frozenset({"demonstration", "clock", "synthetic"})
_UNREAD = frozenset({"failed", "partial", "notAsked"})
_NAMES = {
    "laboratory": "laboratory data",
    "tumour": "stage, pathology and tumour markers",
    "function": "vital signs, function and imaging findings",
    "genetics": "genetic findings",
    "bodyComposition": "body composition",
    "imagingStudies": "imaging studies",
    "sequences": "sequences",
    "procedures": "procedures",
    "lists": "lists of medication and therapy",
    "medicationAdministrations": "doses given",
    "medicationStatements": "medication in use",
    "medicationRequests": "medication orders",
    "encounters": "encounters",
    "conditions": "diagnoses",
    "patient": "personal data",
}


class Row(msgspec.Struct, frozen=True):
    """One line of the table of factors."""

    direction: str
    label: str
    value: str
    age: str
    factor: str


def summary(assessment: Assessment) -> str:
    """One line of at most 139 characters that ends at a word."""
    if assessment.abstained is not None:
        return _fit([f"Not scored: {assessment.abstained.text}"])
    coverage, position = assessment.coverage, assessment.position
    if coverage is None or position is None or assessment.entity is None:
        return "Not scored: the assessment is not complete."
    found = f"{coverage.observed} of {coverage.trained} usable inputs"
    unread = unread_names(assessment)
    if unread:
        return _fit(
            [f"Preliminary: {unread} incomplete or not obtained. Based on {found}; {position.category}. Research use.",
             f"Preliminary: the record is incomplete. Based on {found}; {position.category}. Research use."]
        )  # fmt: skip
    entity = in_sentence(assessment.entity.label)
    category = _category(position)
    return _fit(
        [
            f"Compared with similar {entity} patients in the reference data: {category}. {found} found. Research use.",
            f"Compared with similar {entity} patients: {category}. {found} found. Research use.",
            f"Compared with similar patients: {category}. {found} found. Research use.",
        ]
    )


def position_line(assessment: Assessment) -> str:
    position, entity = assessment.position, assessment.entity
    if position is None or entity is None:
        return ""
    group = in_sentence(entity.label) if _has_own_group(assessment) else "all"
    return (
        f"{position.percentile} of 100 (likely {position.low}–{position.high}; 100 = least favourable) among "
        f"{number(position.patients)} {group} patients at diagnosis in the reference data: {_category(position)}."
    )


def setting_line(assessment: Assessment) -> str:
    """For a patient who is not at the point of the course at which the reference patients were seen."""
    setting = assessment.setting
    if setting is None or setting.rule != "D":
        return ""
    return f"The reference patients were seen at another point of their course ({setting.text})."


def rows(assessment: Assessment, at: datetime) -> list[Row]:
    """The strongest factors against a typical patient, both directions at equal weight, and the rest as one line."""
    # the tumour type is what the group has in common: it tells the patient apart from no one in it
    telling = [f for f in assessment.attribution if not feature_of(f.feature).is_entity]
    notable = [f for f in telling if abs(f.relevance - f.typical) >= _NOTABLE]
    worse = [f for f in notable if f.relevance > f.typical][:_EACH_WAY]
    better = [f for f in notable if f.relevance < f.typical][:_EACH_WAY]
    own = _has_own_group(assessment)
    shown = [_row("▲ less favourable", f, at, own_group=own) for f in worse]
    shown += [_row("▼ more favourable", f, at, own_group=own) for f in better]
    rest = [f for f in assessment.attribution if f not in worse and f not in better]
    elsewhere = tuple(f for f in rest if _is_from_elsewhere(f, own))
    together = tuple(f for f in rest if f not in elsewhere)
    for factors, mark in ((together, ""), (elsewhere, ELSEWHERE)):
        if factors:
            label = f"the other {len(factors)} inputs together{mark}"
            shown.append(Row("", label, "", "", factor_text(others(factors).factor)))
    return shown


def learned_elsewhere_line(assessment: Assessment) -> str:
    """What the mark in the table means, where it stands there."""
    if not any(_is_from_elsewhere(factor, _has_own_group(assessment)) for factor in assessment.attribution):
        return ""
    return f"{ELSEWHERE} Learned from patients with other cancer types: shown, but does not move the position."


def _has_own_group(assessment: Assessment) -> bool:
    """Whether the position is among patients of the same cancer type."""
    position, entity = assessment.position, assessment.entity
    return position is not None and entity is not None and position.group == entity.key


def _is_from_elsewhere(factor: Factor, own_group: bool) -> bool:
    return own_group and factor.evidence is not None and factor.evidence.origin == "setting"


def unknown_lines(assessment: Assessment) -> list[str]:
    """What was not obtained, what is not recorded, and what else stands beside the result."""
    lines = []
    unread = unread_names(assessment)
    if unread:
        lines.append(f"Incomplete or not obtained, which does not mean that it was not measured: {unread}.")
    return [*lines, *(notice.text for notice in assessment.notices if notice.code not in RUNNING)]


def model_line(assessment: Assessment) -> str:
    model = assessment.model
    if model is None:
        return ""
    return f"Model {model.name} {model.version} ({model.digest[:8]}…), not checked at this hospital."


def unread_names(assessment: Assessment) -> str:
    keys = [r.key for r in assessment.retrieval if r.state in _UNREAD]
    return ", ".join(dict.fromkeys(_NAMES.get(key, key) for key in keys))


def _category(position: PositionShown) -> str:
    return "position unclear" if position.category == "unclear" else position.category


def _row(direction: str, factor: Factor, at: datetime, *, own_group: bool) -> Row:
    feature = feature_of(factor.feature)
    value = value_text(feature, factor.value)
    # an age or a sex has no age of its own, nor has the diagnosis itself
    dated = not feature.is_entity and feature.modality != "demographics"
    return Row(
        direction,
        beside_value(factor.feature, factor.label) + (ELSEWHERE if _is_from_elsewhere(factor, own_group) else ""),
        value,
        age_text(factor.effective, at) if dated else "",
        factor_text(factor.factor),
    )


def _fit(candidates: Sequence[str]) -> str:
    """The first that is short enough; else the last, cut at a word."""
    for text in candidates:
        if len(text) <= SUMMARY_LIMIT:
            return text
    return candidates[-1][: SUMMARY_LIMIT - 1].rsplit(" ", 1)[0] + "…"
