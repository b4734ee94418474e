"""One patient's record through every reader."""

from collections.abc import Iterable
from datetime import datetime
from typing import get_args

import msgspec

from fhir_mappings.concepts import Catalogue
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.pathology_reports import is_histology
from fhir_mappings.readers.body_composition import is_body_composition, read_body_composition
from fhir_mappings.readers.conditions import ConditionReader, diagnoses
from fhir_mappings.readers.declared_lists import Declaration
from fhir_mappings.readers.encounters import documented, read_encounters, stays
from fhir_mappings.readers.gene_evidence import gene_findings
from fhir_mappings.readers.germline import germline_findings
from fhir_mappings.readers.observations import ObservationReader
from fhir_mappings.readers.patients import Person, read_patient
from fhir_mappings.readers.procedures import Tumours
from fhir_mappings.readers.sequences import read_sequences
from fhir_mappings.readers.treatment import read_treatment
from fhir_mappings.readers.variants import is_variant, somatic_evidence, variant_reports
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.r4 import (
    Clinical,
    Condition,
    Encounter,
    ImagingStudy,
    MolecularSequence,
    Observation,
    Patient,
)
from fhir_mappings.resources.therapies import Treatment
from fhir_mappings.tumour import TumourPicture, read_tumours
from fhir_mappings.units import units

# Types of which a resource may well be right and yet say nothing that is asked for.
_MAY_BE_UNUSED: tuple[type[Clinical], ...] = (Patient, Encounter, Condition, ImagingStudy, *get_args(Treatment))


class Readings(msgspec.Struct, frozen=True):
    """What all readers said.

    `documented`: encounters that prove that problems were documented (else none). `declared`: lists that prove that a
    history is complete. `undecided`: parameters that the record speaks of without deciding them; they are never absent.
    `treated_since`: the earliest dated treatment of a cancer.
    """

    findings: tuple[Finding, ...]
    issues: tuple[Issue, ...]
    person: Person
    tumours: TumourPicture
    documented: tuple[str, ...]
    declared: tuple[Declaration, ...]
    undecided: frozenset[str]
    treated_since: datetime | None
    foreign: bool


def read_record(record: PatientRecord, source: Catalogue, at: datetime) -> Readings:
    """All findings and issues of a record. Resources of another patient, or of nobody, are issues only."""
    own = OwnResources(record)
    total = Reading(issues=list(own.issues))

    person = Person()
    for patient in own.of(Patient):
        person, read = read_patient(patient, at)
        total.add(read)

    conditions = diagnoses(own.of(Condition), at)
    comorbidities = ConditionReader(source).read(conditions, at)
    care, not_counted = stays(own.of(Encounter), at)
    is_listed = _is_complete(record, Condition) and _is_complete(record, Encounter)
    proof = documented(care, conditions.known, at, own.address_of) if is_listed else ()
    total.add(comorbidities.reading)
    total.add(read_encounters(care, at, complete=_is_complete(record, Encounter)))
    total.issues += [*conditions.issues, *not_counted]

    kinds = _by_kind(own.of(Observation))
    tumours, of_tumour = read_tumours(
        conditions.known, kinds.histology, source, at, own.address_of, female=person.female
    )
    total.add(of_tumour)
    total.add(ObservationReader(source, units()).read(kinds.plain, at, own.address_of))
    studies = own.of(ImagingStudy)
    total.add(read_body_composition(kinds.body_composition, studies, source.schema, at, own.address_of))
    total.add(_genetics(kinds.variants, own.of(MolecularSequence), at))

    complete = [kind for kind in get_args(Treatment) if _is_complete(record, kind)]
    treatment = read_treatment(own, _treatable(tumours, total), source, at, complete)
    total.add(treatment.reading)

    used = {*proof, *(address for tumour in tumours.tumours for address in tumour.sources)}
    used |= {one.address for one in treatment.declared}
    total.issues += _leftover(own, total, used)
    return Readings(
        findings=tuple(total.findings),
        issues=tuple(total.issues),
        person=person,
        tumours=tumours,
        documented=proof,
        declared=treatment.declared,
        undecided=comorbidities.undecided
        | treatment.undecided
        | ({"comorb_prior_malignancy"} if tumours.prior_unclear else frozenset()),
        treated_since=treatment.began,
        foreign=own.foreign,
    )


def _treatable(tumours: TumourPicture, total: Reading) -> Tumours:
    """What an operation may be on: the tumours, and the confirmed sites of metastasis."""
    sites = [f for f in total.findings if f.feature.startswith("stage_met_") and f.value == 1]
    keys = {tumour.entity for tumour in tumours.tumours} | {site.feature for site in sites}
    addresses = {s for tumour in tumours.tumours for s in tumour.sources} | {s for site in sites for s in site.sources}
    return Tumours(frozenset(keys), frozenset(addresses))


def _genetics(variants: list[Observation], sequences: list[MolecularSequence], at: datetime) -> Reading:
    reports, unused = variant_reports(variants, at)
    reading = germline_findings(report for report in reports if report.is_germline)
    reported, not_judged = somatic_evidence(report for report in reports if not report.is_germline)
    located, unlocated = read_sequences(sequences)
    reading.add(gene_findings([*reported, *located]))
    reading.issues += [*unused, *not_judged, *unlocated]
    return reading


class _Kinds(msgspec.Struct):
    plain: list[Observation] = msgspec.field(default_factory=list)
    variants: list[Observation] = msgspec.field(default_factory=list)
    histology: list[Observation] = msgspec.field(default_factory=list)
    body_composition: list[Observation] = msgspec.field(default_factory=list)


def _by_kind(observations: Iterable[Observation]) -> _Kinds:
    kinds = _Kinds()
    for observation in observations:
        if is_variant(observation):
            kinds.variants.append(observation)
        elif is_histology(observation):
            kinds.histology.append(observation)
        elif is_body_composition(observation):
            kinds.body_composition.append(observation)
        else:
            kinds.plain.append(observation)
    return kinds


def _leftover(own: OwnResources, total: Reading, used: set[str]) -> list[Issue]:
    """An issue for each resource of which nothing has been said yet: it was seen, and nothing in it is asked for."""
    said = used | {issue.source for issue in total.issues} | {s for f in total.findings for s in f.sources}
    return [
        Issue("information", "not-needed", "nothing in it is asked for", resource.address)
        for kind in _MAY_BE_UNUSED
        for resource in own.of(kind)
        if resource.address not in said
    ]


def _is_complete(record: PatientRecord, kind: type[Clinical]) -> bool:
    """Whether all of a type is there and was understood: an absence may be concluded only then.

    A Bundle is complete in itself.
    """
    name = kind.__name__
    if any(issue.code == "unreadable" and issue.source.partition("/")[0] in {name, "?", ""} for issue in record.issues):
        return False
    states = [r.state for r in record.retrieval if r.key in {_QUERY[name], "bundle"}]
    return all(state in {"complete", "empty"} for state in states) if states else not record.retrieval


_QUERY = {  # names of retrieval.py
    "Condition": "conditions",
    "Encounter": "encounters",
    "List": "lists",
    "MedicationAdministration": "medicationAdministrations",
    "MedicationRequest": "medicationRequests",
    "MedicationStatement": "medicationStatements",
    "Procedure": "procedures",
}
