"""Condition -> comorbidities, metastases, tumours. Only what is confirmed and present counts as a disease."""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from fhir_mappings.concepts import ICD10, Catalogue, canonical
from fhir_mappings.finding import Finding, Issue, Reading, Severity
from fhir_mappings.resources.datatypes import CodeableConcept, Coding
from fhir_mappings.resources.r4 import Condition
from fhir_mappings.timing import days_between, in_order, instant
from fhir_mappings.windows import Windows

# German letter of certainty beside an ICD-10-GM code: A ruled out, V suspected, Z state after; only G is confirmed.
_CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"

# The codes of the two status elements (required bindings of FHIR; profiles put codings of other systems beside them).
# Where one holds two that contradict each other, the first of these counts.
_REFUTED = "refuted"
_UNCONFIRMED = ("unconfirmed", "provisional", "differential")
_VERIFICATION = ("entered-in-error", _REFUTED, *_UNCONFIRMED, "confirmed")
_INACTIVE = ("inactive", "remission", "resolved")
_RULED_OUT = "certainty A"

# A past event of these still counts (Charlson: old infarction, stroke), of the others only a present disease.
COUNTS_WHEN_RESOLVED = frozenset({"comorb_mi", "comorb_cerebrovascular"})

# Decided from the tumour itself, not from a code alone.
_NOT_HERE = frozenset({"comorb_prior_malignancy", "path_colon_right_sided", "path_oropharynx"})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Diagnosis(msgspec.Struct, frozen=True):
    """A Condition that may be used: confirmed or refuted, active or not, since when, and when that was stated."""

    condition: Condition
    confirmed: bool
    active: bool
    since: datetime | None
    stated: datetime | None

    @property
    def address(self) -> str:
        return self.condition.address


class Diagnoses(msgspec.Struct):
    """The conditions that state something; those that may be a disease or not; an issue for each that is not used."""

    known: list[Diagnosis] = msgspec.field(default_factory=list)
    doubtful: list[Condition] = msgspec.field(default_factory=list)
    issues: list[Issue] = msgspec.field(default_factory=list)


class Comorbidities(msgspec.Struct, frozen=True):
    """`undecided`: parameters that some record speaks of without deciding them, so that silence is no absence."""

    reading: Reading
    undecided: frozenset[str]


def diagnoses(conditions: Iterable[Condition], at: datetime) -> Diagnoses:
    """All conditions, sorted by what they may be used for at `at`."""
    found = Diagnoses()
    for condition in conditions:
        reason = _unusable(condition, at)
        if reason is None:
            found.known.append(_diagnosis(condition, at))
            continue
        severity: Severity = "warning" if reason[0] in {"modifier-unknown", "date-unreadable"} else "information"
        found.issues.append(Issue(severity, *reason, condition.address))
        if reason[0] in {"not-confirmed", "modifier-unknown", "date-unreadable"} and reason[1] != _RULED_OUT:
            found.doubtful.append(condition)
    return found


class ConditionReader:
    def __init__(self, source: Catalogue) -> None:
        self._catalogue = source

    def read(self, conditions: Diagnoses, windows: Windows) -> Comorbidities:
        """Findings of comorbidities and metastases: 1 for present, 0 for a comorbidity that was refuted.

        The newest confirmed or refuted statement of a comorbidity wins; a metastasis stays once it was confirmed.
        """
        reading = Reading()
        undecided = {key for condition in conditions.doubtful for key in self._keys(condition.code)}
        said: dict[str, list[tuple[Diagnosis, Finding]]] = {}
        for diagnosis in conditions.known:
            keys = self._keys(diagnosis.condition.code)
            for key in sorted(keys):
                found = self._state(key, diagnosis, windows)
                if isinstance(found, Finding):
                    said.setdefault(key, []).append((diagnosis, found))
                    continue
                reading.issues.append(found)
                if found.code in {"undated", "outside-window"} and diagnosis.active:
                    undecided.add(key)
            if not keys and not self._is_tumour(diagnosis.condition.code):
                reading.issues.append(Issue("information", "code-unknown", "no known code", diagnosis.address))
        for statements in said.values():
            reading.add(_newest_statement(statements))
        return Comorbidities(reading, frozenset(undecided))

    def _keys(self, code: CodeableConcept) -> set[str]:
        """Binary parameters that any coding states, but for those that a narrower coding excludes."""
        stated: set[str] = set()
        excluded: set[str] = set()
        for coding in code.coding:
            for concept in self._catalogue.lookup(coding.system, coding.code):
                if concept.meaning == "ignored":
                    excluded.add(concept.key)
                elif concept.level == 1.0 and not self._catalogue.schema[concept.key].is_entity:
                    stated.add(concept.key)
        return stated - excluded - _NOT_HERE

    def _is_tumour(self, code: CodeableConcept) -> bool:
        return any(
            self._catalogue.schema[concept.key].is_entity or concept.key in _NOT_HERE
            for coding in code.coding
            for concept in self._catalogue.lookup(coding.system, coding.code)
        )

    def _state(self, key: str, diagnosis: Diagnosis, windows: Windows) -> Finding | Issue:
        feature = self._catalogue.schema[key]
        is_acute = feature.missing_rule == "documented_acute"
        if not diagnosis.confirmed and feature.modality == "tumour":
            return self._issue("refuted", f"{key}: refuted", diagnosis)
        if diagnosis.confirmed and not (
            diagnosis.active or is_acute or key in COUNTS_WHEN_RESOLVED or feature.modality == "tumour"
        ):
            return self._issue("not-present", f"{key}: inactive or resolved", diagnosis)
        when = diagnosis.since if diagnosis.confirmed else diagnosis.stated
        limit = windows.days(feature)
        if limit is not None:
            if when is None:
                return self._issue("undated", f"{key}: no date, counts only within {limit:g} days", diagnosis)
            if days_between(when, windows.at) > limit:
                return self._issue("outside-window", f"{key}: older than {limit:g} days", diagnosis)
        rule = "confirmed diagnosis" if diagnosis.confirmed else "refuted"
        return Finding(key, float(diagnosis.confirmed), "1", when, (diagnosis.address,), rule=rule)

    def _issue(self, code: str, text: str, diagnosis: Diagnosis) -> Issue:
        return Issue("information", code, text, diagnosis.address)


def _newest_statement(statements: list[tuple[Diagnosis, Finding]]) -> Reading:
    """All that agree with the newest statement; of equals a confirmed one wins. Each other one is an issue."""
    newest, _ = max(statements, key=lambda pair: (_stated(pair[0]), pair[0].confirmed))
    reading = Reading()
    for diagnosis, finding in statements:
        if diagnosis.confirmed == newest.confirmed:
            reading.findings.append(finding)
        else:
            text = f"{finding.feature}: a newer statement says otherwise"
            reading.issues.append(Issue("information", "superseded", text, diagnosis.address))
    return reading


def _stated(diagnosis: Diagnosis) -> datetime:
    return in_order(diagnosis.stated) if diagnosis.stated else _LONG_AGO


def _status(concept: CodeableConcept, codes: tuple[str, ...]) -> str:
    """The first of FHIR's codes that the element holds, whatever system it claims; "" where it holds none."""
    held = {coding.code for coding in concept.coding}
    return next((code for code in codes if code in held), "")


def since(condition: Condition, at: datetime | None = None) -> datetime | None:
    """When the disease began: onset, else when it was recorded."""
    onset = condition.onsetDateTime or (condition.onsetPeriod.start if condition.onsetPeriod else "")
    return instant(onset, at) or instant(condition.recordedDate, at)


def _diagnosis(condition: Condition, at: datetime) -> Diagnosis:
    began = since(condition, at)
    return Diagnosis(
        condition,
        confirmed=_status(condition.verificationStatus, _VERIFICATION) != _REFUTED,
        active=_is_active(condition, at),
        since=began,
        stated=instant(condition.recordedDate, at) or began,
    )


def _is_active(condition: Condition, at: datetime) -> bool:
    """Whether the disease was there at `at`: an end decides before the status, which speaks of the record's own now."""
    abated = instant(condition.abatementDateTime, at)
    if abated is not None:
        return abated > at
    return not _status(condition.clinicalStatus, _INACTIVE)


def _unusable(condition: Condition, at: datetime) -> tuple[str, str] | None:  # noqa: PLR0911 - one line a reason
    verification = _status(condition.verificationStatus, _VERIFICATION)
    if verification == "entered-in-error":
        return "status-not-used", "entered-in-error"
    if verification in _UNCONFIRMED:
        return "not-confirmed", verification
    if not verification and (condition.verificationStatus.coding or condition.verificationStatus.text):
        return "not-confirmed", "a verification status that FHIR does not define"
    if condition.modifierExtension:
        return "modifier-unknown", "a modifierExtension that may change the meaning"
    letters = {letter for coding in condition.code.coding for letter in _certainty(coding)} - {"G"}
    if letters:
        known = sorted(letters & {"A", "V", "Z"})
        return "not-confirmed", f"certainty {known[0]}" if known else "certainty unknown"
    recorded, began = instant(condition.recordedDate, at), since(condition, at)
    if (recorded and recorded > at) or (began and began > at):
        return "after-at", "dated after the moment of assessment"
    if began is None and (condition.onsetDateTime or condition.recordedDate):
        return "date-unreadable", "a date that is none"
    return None


def _certainty(coding: Coding) -> list[str]:
    return [e.valueCoding.code for e in coding.extension if e.url == _CERTAINTY and e.valueCoding]


def icd_codes(condition: Condition) -> list[str]:
    """The ICD-10 codes of a condition, of any edition."""
    return [coding.code for coding in condition.code.coding if canonical(coding.system) in ICD10]
