"""PatientRecord -> EncodedPatient: every parameter that has a value, with its sources (the others: `empty_slots`)."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

import msgspec

from fhir_mappings.absence import fill_absent
from fhir_mappings.bedside import Bedside, bedside_of
from fhir_mappings.choosing import Choice, choose, choose_part
from fhir_mappings.concepts import Catalogue, catalogue
from fhir_mappings.derive import CHANGES, FORMULAS, WHOLE, changed, derived
from fhir_mappings.finding import Finding, Issue
from fhir_mappings.readers.all_resources import Readings, read_record
from fhir_mappings.readers.circumstances import Circumstance
from fhir_mappings.readers.patients import Person
from fhir_mappings.record import PatientRecord
from fhir_mappings.timing import days_between, in_order
from fhir_mappings.tumour import DAYS_A_MONTH, Tumour, TumourPicture
from fhir_mappings.windows import Windows
from models.features import FeatureSchema, FeatureVector

_METACHRONOUS_MONTHS = 6.0

Stage = Callable[[str], AbstractContextManager[object]]

# Parameters that mean something for these entities only (definitions of the catalogue).
ONLY_FOR: Mapping[str, frozenset[str]] = {
    "path_p16_hpv": frozenset({"entity_head_neck"}),
    "path_ebv": frozenset({"entity_gastric", "entity_nasopharynx"}),
    "lab_testosterone": frozenset({"entity_prostate"}),
    "gene_mgmt_methylated": frozenset({"entity_glioblastoma", "entity_other_cns"}),
    "gene_1p19q_codeletion": frozenset({"entity_glioblastoma", "entity_other_cns"}),
    "path_gleason_isup": frozenset({"entity_prostate"}),
    "path_breslow": frozenset({"entity_melanoma"}),
    "path_ulceration": frozenset({"entity_melanoma"}),
}


class EncodedPatient(msgspec.Struct, frozen=True):
    """One patient as the network sees it, with what the eye must see beside it.

    `findings` hold one finding per parameter that has a value.
    `treated_since` is the earliest dated treatment of a cancer, `circumstances` those in which no survival is shown,
    `unplanned_since` the start of an unplanned hospital contact that is going on. `bedside` are the newest readings of
    the last six hours of an emergency, for scores beside the network.
    """

    vector: FeatureVector
    findings: Mapping[str, Finding]
    issues: tuple[Issue, ...]
    person: Person
    tumours: TumourPicture
    treated_since: datetime | None
    circumstances: frozenset[Circumstance]
    unplanned_since: datetime | None
    bedside: Bedside
    foreign: bool


class SchemaMismatchError(ValueError):
    """The catalogue and the model package do not mean the same parameters."""


def encode(
    record: PatientRecord,
    schema: FeatureSchema,
    at: datetime,
    stage: Stage = lambda _: nullcontext(),
    *,
    thorough: bool = False,
    emergency: bool = False,
) -> EncodedPatient:
    """Read, choose, derive. `at` is the moment of assessment; nothing dated after it is used.

    `stage` is entered for each stage of the work (telemetry). `thorough` reads older results too, for their issues; the
    vector and the findings are the same without. `emergency`: with the windows of an emergency, which also hold where
    the record has an unplanned contact that is going on, so that both ways of asking have one answer. Raises
    SchemaMismatchError when `schema` is not the catalogue's.
    """
    source = catalogue()
    if schema.digest != source.schema.digest:
        raise SchemaMismatchError("the model package was trained on another parameter list")
    with stage("extraction"):
        readings = read_record(record, source, at, thorough=thorough, emergency=emergency)
    with stage("encoding"):
        return _encoded(record, readings, source, at)


def _encoded(record: PatientRecord, readings: Readings, source: Catalogue, at: datetime) -> EncodedPatient:
    by_key = _by_key(readings.findings)
    choices = _choices(by_key, readings, source)
    chosen = {key: choice.finding for key, choice in choices.items() if choice.finding is not None}
    _add_metastasis(chosen)
    _add_derived(chosen, choices, source, readings.windows)
    chosen |= fill_absent(chosen, readings, source.schema, at)
    _add_course(chosen, readings, source.schema, at)
    known = _that_count(chosen, readings.tumours.index, source.schema)
    return EncodedPatient(
        vector=FeatureVector.of(source.schema, {key: finding.value for key, finding in known.items()}),
        findings=known,
        issues=(*record.issues, *readings.issues, *(i for choice in choices.values() for i in choice.issues)),
        person=readings.person,
        tumours=readings.tumours,
        treated_since=readings.treated_since,
        circumstances=readings.circumstances,
        unplanned_since=readings.unplanned_since,
        bedside=bedside_of(by_key, readings.windows, source.schema) if readings.windows.is_emergency else Bedside(),
        foreign=readings.foreign,
    )


def _by_key(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.feature, []).append(finding)
    return found


def _choices(by_key: Mapping[str, list[Finding]], readings: Readings, source: Catalogue) -> dict[str, Choice]:
    index, schema, windows = readings.tumours.index, source.schema, readings.windows
    diagnosed = index.since if index else None
    choices: dict[str, Choice] = {}
    for key, findings in by_key.items():
        feature = schema.by_key.get(key)
        if feature is not None:
            choices[key] = choose(feature, findings, windows, diagnosed)
        elif not key.startswith("bedside/"):
            choices[key] = choose_part(findings, windows, schema[WHOLE[key]] if key in WHOLE else None)
    return choices


def _add_metastasis(chosen: dict[str, Finding]) -> None:
    """A confirmed metastatic site states M1, whatever the M category says; the first statement counts."""
    sites = [f for key, f in chosen.items() if f.value == 1 and key.startswith("stage_met_")]
    stated = chosen.get("stage_m1")
    if not sites:
        return
    first = min(sites, key=_from_when)
    if stated is None or stated.value == 0 or _from_when(first)[:2] < _from_when(stated)[:2]:
        chosen["stage_m1"] = msgspec.structs.replace(first, feature="stage_m1", rule=f"site: {first.feature}")


def _from_when(finding: Finding) -> tuple[bool, datetime | None, tuple[str, ...]]:
    return finding.effective is None, in_order(finding.effective) if finding.effective else None, finding.sources


def _add_derived(
    chosen: dict[str, Finding], choices: Mapping[str, Choice], source: Catalogue, windows: Windows
) -> None:
    for formula in FORMULAS:
        found, feature = derived(formula, chosen, source.schema, windows), source.schema[formula.key]
        if found is not None and windows.hold(found, feature):
            chosen[formula.key] = windows.marked(found, feature)
    her2 = chosen.get("part/her2_ratio")
    if her2 is not None and her2.value >= 2.0:  # amplified by in-situ hybridisation, whatever the stain says
        unit = source.schema["path_her2"].unit
        chosen["path_her2"] = msgspec.structs.replace(
            her2, feature="path_her2", value=2.0, unit=unit, rule="FISH ratio 2.0 or more"
        )
    history = {change.of: choices[change.of].history for change in CHANGES if change.of in choices}
    for change in CHANGES:
        found = changed(change, chosen, history, source.schema)
        if found is not None:
            chosen[change.key] = found


def _add_course(chosen: dict[str, Finding], readings: Readings, schema: FeatureSchema, at: datetime) -> None:
    """Months since diagnosis and, where the first statement of M1 is known, since M1 and whether that came later."""
    index = readings.tumours.index
    since = index.since if index else None
    metastasis = chosen.get("stage_m1")
    spread = metastasis.effective if metastasis and metastasis.value == 1 else None
    found: dict[str, tuple[float, tuple[str, ...]]] = {}
    if index and since:
        found["stage_months_since_diagnosis"] = (_months(since, at), index.sources)
    if metastasis and spread and readings.has_all_stages:
        found["stage_months_since_m1"] = (_months(spread, at), metastasis.sources)
        if index and since:
            later = days_between(since, spread) / DAYS_A_MONTH > _METACHRONOUS_MONTHS
            both = tuple(dict.fromkeys((*index.sources, *metastasis.sources)))  # one diagnosis may name both
            found["stage_metachronous"] = (float(later), both)
    for key, (value, sources) in found.items():
        if schema[key].plausible(value):
            chosen[key] = Finding(key, value, schema[key].unit, at, sources, rule="from the dates of diagnosis and M1")


def _months(since: datetime, at: datetime) -> float:
    """Months up to `at`; a date of today may lie a day ahead of `at` in the hospital's zone."""
    return max(0.0, days_between(since, at)) / DAYS_A_MONTH


def _that_count(chosen: Mapping[str, Finding], index: Tumour | None, schema: FeatureSchema) -> dict[str, Finding]:
    """Plausible values of parameters that mean something for the patient's cancer; the parts of formulas are none."""
    known: dict[str, Finding] = {}
    for key, finding in chosen.items():
        if index is not None and key in ONLY_FOR and index.entity not in ONLY_FOR[key]:
            continue
        feature = schema.by_key.get(key)
        if feature is not None and feature.plausible(finding.value):
            known[key] = finding
    return known
