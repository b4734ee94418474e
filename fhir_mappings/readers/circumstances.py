"""Pregnancy, hospice and comfort care: no parameters, but circumstances in which no survival figure is given.

Whatever is doubtful speaks for the circumstance: to miss it costs more than to withhold a figure. The codes are those
of the eCQM value set Comfort Measures (SNOMED CT 133918004 comfort measures, 182964004 terminal care, 385736008 dying
care, 385763009 hospice care), of pregnancy status as IPS has it (LOINC 82810-3; SNOMED CT 77386006 pregnant, 60001007
not pregnant; LA15173-0 pregnant), and of ICD-10. Recalled, to be looked up before use: LOINC answer LA26683-5 (not
pregnant), HL7 discharge disposition `hosp`.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import ICD10, ICD10_CM, LOINC, SNOMED, addresses_of, canonical
from fhir_mappings.finding import Issue
from fhir_mappings.readers.by_code import ByCode
from fhir_mappings.readers.conditions import Diagnosis
from fhir_mappings.readers.encounters import Stay
from fhir_mappings.readers.usable import effective, unusable
from fhir_mappings.resources.datatypes import CodeableConcept, Coding
from fhir_mappings.resources.r4 import Observation
from fhir_mappings.resources.therapies import Procedure
from fhir_mappings.timing import days_between, in_order, instant

Circumstance = Literal["pregnancy", "end-of-life-care"]

PREGNANCY_STATUS = "82810-3"
DISPOSITION = "http://terminology.hl7.org/CodeSystem/discharge-disposition"

# Chapter XV (pregnancy, childbirth, puerperium) is the letter O in every edition, and nothing else is: no list of 3,000
# codes says more, and a code too many only withholds a figure.
_OBSTETRIC = re.compile(r"O\d[\dA](\.\w{1,4})?")
_GM_MARKS = "†*!+-."  # as the catalogue drops them
_PREGNANT_ICD = frozenset({"Z33", "Z33.1", "Z33.3", "Z34", "Z35"} | {f"Z3{n}.{d}" for n in (4, 5) for d in range(10)})
_PREGNANT_CM = frozenset({f"Z34.{kind}{trimester}" for kind in "089" for trimester in "0123"})
_PREGNANT = frozenset((system, "77386006") for system in addresses_of(SNOMED)) | frozenset(
    (system, "LA15173-0") for system in addresses_of(LOINC)
)
_NOT_PREGNANT = frozenset((system, "60001007") for system in addresses_of(SNOMED)) | frozenset(
    (system, "LA26683-5") for system in addresses_of(LOINC)
)
_PREGNANT_DAYS = 330.0  # a pregnancy and six weeks
_PALLIATIVE_ICD = "Z51.5"  # in WHO, CM and GM alike
_CARE = frozenset(
    (s, code) for s in addresses_of(SNOMED) for code in ("133918004", "182964004", "385736008", "385763009")
)
_HOSPICE = (DISPOSITION, "hosp")
_CARE_DAYS = 180.0  # of what names care of a time, where it has one
_NOT_DONE = frozenset({"not-done", "entered-in-error"})


class Circumstances(msgspec.Struct):
    """Which hold, and an issue for each resource that says so."""

    hold: set[Circumstance] = msgspec.field(default_factory=set)
    issues: list[Issue] = msgspec.field(default_factory=list)

    def add(self, circumstance: Circumstance, source: str) -> None:
        self.hold.add(circumstance)
        self.issues.append(Issue("information", "withholds-survival", circumstance, source))


def read_circumstances(
    diagnoses: Iterable[Diagnosis],
    stays: Iterable[Stay],
    procedures: Iterable[Procedure],
    observations: ByCode,
    at: datetime,
) -> tuple[Circumstances, ByCode]:
    """The circumstances at `at`, and the Observations without those that were read for them.

    A diagnosis counts while it is active, of pregnancy within 330 days; an encounter or procedure within 180 days; what
    has no date counts. Of the pregnancy status the newest answer that decides counts.
    """
    found = Circumstances()
    for diagnosis in diagnoses:
        if diagnosis.confirmed and diagnosis.active:
            if _says_care(diagnosis.condition.code):
                found.add("end-of-life-care", diagnosis.address)
            if _says_pregnant(diagnosis.condition.code) and _within(_PREGNANT_DAYS, diagnosis.since, at):
                found.add("pregnancy", diagnosis.address)
    for stay in stays:
        encounter = stay.encounter
        said = (*encounter.type_, *encounter.reasonCode, encounter.hospitalization.dischargeDisposition)
        if any(_says_care(one) for one in said if one) and _within(_CARE_DAYS, stay.end or stay.start, at):
            found.add("end-of-life-care", encounter.address)
        if any(_says_pregnant(one) for one in encounter.reasonCode) and _within(_PREGNANT_DAYS, stay.start, at):
            found.add("pregnancy", encounter.address)
    for procedure in procedures:
        if procedure.status not in _NOT_DONE and _says_care(procedure.code) and _is_recent(procedure, at):
            found.add("end-of-life-care", procedure.address)
    rest, answers = observations.without(LOINC, PREGNANCY_STATUS)
    _add_status(found, answers, at)
    return found, rest


def _add_status(found: Circumstances, answers: list[Observation], at: datetime) -> None:
    """The newest answer that decides, of equals the positive one."""
    decisive: list[tuple[datetime, bool, Observation]] = []
    for answer in answers:
        when = effective(answer, at)
        issue = unusable(answer, when, at)
        codes = _codes(answer.valueCodeableConcept)
        pregnant = not codes.isdisjoint(_PREGNANT)
        if issue is not None:
            found.issues.append(issue)
        elif pregnant or not codes.isdisjoint(_NOT_PREGNANT):
            decisive.append((in_order(when or at), pregnant, answer))
    when, pregnant, newest = max(decisive, key=lambda one: one[:2], default=(at, False, None))
    if newest is not None and pregnant and _within(_PREGNANT_DAYS, when, at):
        found.add("pregnancy", newest.address)
    said = {issue.source for issue in found.issues}
    found.issues += [
        Issue("information", "not-needed", "no current pregnancy", answer.address)
        for answer in answers
        if answer.address not in said
    ]


def _says_care(concept: CodeableConcept) -> bool:
    codes = _codes(concept)
    return not codes.isdisjoint(_CARE) or _HOSPICE in codes or _PALLIATIVE_ICD in _icd(concept.coding)


def _says_pregnant(concept: CodeableConcept) -> bool:
    if not _codes(concept).isdisjoint(_PREGNANT):
        return True
    american = {c.code for c in concept.coding if canonical(c.system) == ICD10_CM}
    icd = _icd(concept.coding)
    return bool(icd & _PREGNANT_ICD or american & _PREGNANT_CM or any(_OBSTETRIC.fullmatch(code) for code in icd))


def _codes(concept: CodeableConcept | None) -> set[tuple[str, str]]:
    return {(coding.system, coding.code) for coding in concept.coding} if concept else set()


def _icd(codings: Iterable[Coding]) -> set[str]:
    return {coding.code.rstrip(_GM_MARKS).upper() for coding in codings if canonical(coding.system) in ICD10}


def _within(days: float, when: datetime | None, at: datetime) -> bool:
    return when is None or days_between(when, at) <= days


def _is_recent(procedure: Procedure, at: datetime) -> bool:
    period = procedure.performedPeriod
    text = procedure.performedDateTime or (period.end or period.start if period else "")
    when = instant(text, at)
    return when is None or (when <= at and days_between(when, at) <= _CARE_DAYS)
