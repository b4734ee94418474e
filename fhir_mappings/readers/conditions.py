"""Condition -> comorbidities, metastases, tumours. Only what is confirmed and present counts as a disease."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from fhir_mappings.concepts import ICD10_CM, ICD10_GM, ICD10_WHO, Catalogue
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.resources.datatypes import CodeableConcept, Coding
from fhir_mappings.resources.r4 import Condition
from fhir_mappings.timing import days_between, instant

VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
# German letter of certainty beside an ICD-10-GM code: A ruled out, V suspected, Z state after; only G is confirmed.
_CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"

_UNCONFIRMED = frozenset({"unconfirmed", "provisional", "differential"})
_INACTIVE = frozenset({"inactive", "remission", "resolved"})

# A past event of these still counts (Charlson: old infarction, stroke), of the others only a present disease.
COUNTS_WHEN_RESOLVED = frozenset({"comorb_mi", "comorb_cerebrovascular"})

# Decided from the tumour itself, not from a code alone.
_NOT_HERE = frozenset({"comorb_prior_malignancy", "path_colon_right_sided", "path_oropharynx"})


class Diagnosis(msgspec.Struct, frozen=True):
    """A Condition that may be used: confirmed or refuted, active or not, since when."""

    condition: Condition
    confirmed: bool
    active: bool
    since: datetime | None

    @property
    def address(self) -> str:
        return self.condition.address


def diagnoses(conditions: Iterable[Condition], at: datetime) -> tuple[list[Diagnosis], list[Issue]]:
    """The conditions that state something at `at`, and an issue for each that does not."""
    found: list[Diagnosis] = []
    issues: list[Issue] = []
    for condition in conditions:
        reason = _unusable(condition, at)
        if reason is None:
            found.append(_diagnosis(condition, at))
        else:
            issues.append(Issue("information", *reason, condition.address))
    return found, issues


class ConditionReader:
    def __init__(self, source: Catalogue) -> None:
        self._catalogue = source

    def read(self, known: Iterable[Diagnosis], at: datetime) -> Reading:
        """Findings of comorbidities and metastases; 1 for present, 0 for explicitly refuted."""
        reading = Reading()
        for diagnosis in known:
            keys = self._keys(diagnosis.condition.code)
            for key in sorted(keys):
                reading.add(self._state(key, diagnosis, at))
            if not keys and not self._is_tumour(diagnosis.condition.code):
                reading.issues.append(Issue("information", "code-unknown", "no known code", diagnosis.address))
        return reading

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

    def _state(self, key: str, diagnosis: Diagnosis, at: datetime) -> Reading:
        feature = self._catalogue.schema[key]
        if not diagnosis.confirmed:
            return self._finding(key, 0.0, diagnosis, "refuted")
        is_present = diagnosis.active or key in COUNTS_WHEN_RESOLVED or feature.modality == "tumour"
        if not is_present:
            text = f"{key}: inactive or resolved"
            return Reading(issues=[Issue("information", "not-present", text, diagnosis.address)])
        if feature.window_days is not None:
            if diagnosis.since is None:
                text = f"{key}: no date, counts only within {feature.window_days:g} days"
                return Reading(issues=[Issue("information", "undated", text, diagnosis.address)])
            if days_between(diagnosis.since, at) > feature.window_days:
                text = f"{key}: older than {feature.window_days:g} days"
                return Reading(issues=[Issue("information", "outside-window", text, diagnosis.address)])
        return self._finding(key, 1.0, diagnosis, "confirmed diagnosis")

    def _finding(self, key: str, value: float, diagnosis: Diagnosis, rule: str) -> Reading:
        return Reading([Finding(key, value, "1", diagnosis.since, (diagnosis.address,), rule=rule)])


def status_code(concept: CodeableConcept, system: str) -> str:
    """The code of one system in a status element; profiles put further codings of their own beside it."""
    return next((coding.code for coding in concept.coding if coding.system == system), "")


def since(condition: Condition) -> datetime | None:
    """When the disease began: onset, else when it was recorded."""
    onset = condition.onsetDateTime or (condition.onsetPeriod.start if condition.onsetPeriod else "")
    return instant(onset) or instant(condition.recordedDate)


def _diagnosis(condition: Condition, at: datetime) -> Diagnosis:
    abated = instant(condition.abatementDateTime) if condition.abatementDateTime else None
    return Diagnosis(
        condition,
        confirmed=status_code(condition.verificationStatus, VERIFICATION) != "refuted",
        active=status_code(condition.clinicalStatus, CLINICAL) not in _INACTIVE and not (abated and abated <= at),
        since=since(condition),
    )


def _unusable(condition: Condition, at: datetime) -> tuple[str, str] | None:
    verification = status_code(condition.verificationStatus, VERIFICATION)
    if verification == "entered-in-error":
        return "status-not-used", "entered-in-error"
    if verification in _UNCONFIRMED:
        return "not-confirmed", verification
    if condition.modifierExtension:
        return "modifier-unknown", "a modifierExtension that may change the meaning"
    letter = next((c for coding in condition.code.coding for c in _certainty(coding)), "G")
    if letter != "G":
        return "not-confirmed", f"certainty {letter}" if letter in {"A", "V", "Z"} else "certainty unknown"
    recorded, onset = instant(condition.recordedDate), since(condition)
    if (recorded and recorded > at) or (onset and onset > at):
        return "after-at", "dated after the moment of assessment"
    return None


def _certainty(coding: Coding) -> list[str]:
    return [e.valueCoding.code for e in coding.extension if e.url == _CERTAINTY and e.valueCoding]


def icd_codes(condition: Condition) -> list[str]:
    """The ICD-10 codes of a condition, of any edition."""
    return [coding.code for coding in condition.code.coding if coding.system in {ICD10_WHO, ICD10_GM, ICD10_CM}]
