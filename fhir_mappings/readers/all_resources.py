"""One patient's record through every reader."""

from datetime import datetime

import msgspec

from fhir_mappings.concepts import Catalogue
from fhir_mappings.finding import Finding, Issue
from fhir_mappings.readers.body_composition import is_body_composition, read_body_composition
from fhir_mappings.readers.conditions import ConditionReader, diagnoses
from fhir_mappings.readers.encounters import documented, read_encounters, stays
from fhir_mappings.readers.gene_evidence import gene_findings
from fhir_mappings.readers.observations import ObservationReader
from fhir_mappings.readers.patients import Person, read_patient
from fhir_mappings.readers.sequences import read_sequences
from fhir_mappings.readers.variants import is_variant, read_variants
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.r4 import (
    Condition,
    Encounter,
    ImagingStudy,
    MolecularSequence,
    Observation,
    Patient,
)
from fhir_mappings.tumour import TumourPicture, is_histology, read_tumours
from fhir_mappings.units import units


class Readings(msgspec.Struct, frozen=True):
    """What all readers said. `documented`: encounters that prove that problems were documented (else none)."""

    findings: tuple[Finding, ...]
    issues: tuple[Issue, ...]
    person: Person
    tumours: TumourPicture
    documented: tuple[str, ...]
    foreign: bool


def read_record(record: PatientRecord, source: Catalogue, at: datetime) -> Readings:
    """All findings and issues of a record. Resources of another patient, or of nobody, are issues only."""
    own = OwnResources(record)
    findings: list[Finding] = []
    issues: list[Issue] = list(own.issues)

    person = Person()
    for patient in own.of(Patient):
        person, read = read_patient(patient, at)
        findings += read.findings
        issues += read.issues

    conditions = own.of(Condition)
    known, unused = diagnoses(conditions, at)
    comorbidities = ConditionReader(source).read(known, at)
    care, not_counted = stays(own.of(Encounter), at)
    visits = read_encounters(care, at, complete=_is_complete(record, "encounters"))
    is_listed = _is_complete(record, "conditions") and _is_complete(record, "encounters")

    kinds = _by_kind(own.of(Observation))
    tumours, of_tumour = read_tumours(known, kinds.histology, source, at, female=person.female)
    observed = ObservationReader(source, units()).read(kinds.plain, at)
    body = read_body_composition(kinds.body_composition, own.of(ImagingStudy), at)
    reported, germline, said = read_variants(kinds.variants, at)
    located, unlocated = read_sequences(own.of(MolecularSequence))
    genes = gene_findings([*reported, *located])

    for reading in (comorbidities, visits, of_tumour, observed, body, genes):
        findings += reading.findings
        issues += reading.issues
    findings += germline
    issues += [*unused, *not_counted, *said, *unlocated]
    return Readings(
        findings=tuple(findings),
        issues=tuple(issues),
        person=person,
        tumours=tumours,
        documented=documented(care, conditions, at) if is_listed else (),
        foreign=own.foreign,
    )


class _Kinds(msgspec.Struct):
    plain: list[Observation] = msgspec.field(default_factory=list)
    variants: list[Observation] = msgspec.field(default_factory=list)
    histology: list[Observation] = msgspec.field(default_factory=list)
    body_composition: list[Observation] = msgspec.field(default_factory=list)


def _by_kind(observations: list[Observation]) -> _Kinds:
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


def _is_complete(record: PatientRecord, key: str) -> bool:
    """Whether all of a kind is there: an absence may be concluded only then. A Bundle is complete in itself."""
    states = [r.state for r in record.retrieval if r.key in {key, "bundle"}]
    return all(state in {"complete", "empty"} for state in states) if states else not record.retrieval
