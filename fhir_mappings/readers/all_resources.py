"""One patient's record through every reader."""

from collections.abc import Iterable
from datetime import datetime
from typing import get_args

import msgspec

from fhir_mappings.completeness import Completeness
from fhir_mappings.concepts import LOINC, Catalogue
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.pathology_reports import HISTOLOGY
from fhir_mappings.readers.bedside import read_bedside
from fhir_mappings.readers.body_composition import is_body_composition, read_body_composition
from fhir_mappings.readers.by_code import ByCode, by_code
from fhir_mappings.readers.circumstances import Circumstance, read_circumstances
from fhir_mappings.readers.condition_stages import read_condition_stages
from fhir_mappings.readers.conditions import ConditionReader, diagnoses
from fhir_mappings.readers.declared_lists import Declaration
from fhir_mappings.readers.encounters import Documented, documented, is_decided, read_encounters, stays, unplanned_since
from fhir_mappings.readers.gene_evidence import gene_findings
from fhir_mappings.readers.germline import germline_findings
from fhir_mappings.readers.modified_parts import understood_parts
from fhir_mappings.readers.observations import observation_reader
from fhir_mappings.readers.patients import Person, read_patient
from fhir_mappings.readers.procedures import Tumours
from fhir_mappings.readers.regions import REGION, sequenced_genes
from fhir_mappings.readers.sequences import read_sequences
from fhir_mappings.readers.tissue import ranked_by_tissue
from fhir_mappings.readers.treatment import read_treatment
from fhir_mappings.readers.variants import VARIANT, somatic_evidence, variant_reports, without_silence
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.r4 import (
    Clinical,
    Condition,
    Encounter,
    ImagingStudy,
    MolecularSequence,
    Objection,
    Observation,
    Patient,
)
from fhir_mappings.resources.therapies import Procedure, Treatment
from fhir_mappings.tumour import TumourPicture, read_tumours
from fhir_mappings.windows import Windows, windows_at

# Types of which a resource may well be right and yet say nothing that is asked for.
_MAY_BE_UNUSED: tuple[type[Clinical], ...] = (Patient, Encounter, Condition, ImagingStudy, *get_args(Treatment))


class Readings(msgspec.Struct, frozen=True):
    """What all readers said.

    `documented`: encounters that prove that problems were documented (else none). `declared`: lists that prove that a
    history is complete. `undecided`: parameters that the record speaks of without deciding them; they are never absent.
    `treated_since`: the earliest dated treatment of a cancer. `circumstances`: those in which no survival is shown.
    `has_all_stages`: every statement on metastasis is at hand.
    """

    findings: tuple[Finding, ...]
    issues: tuple[Issue, ...]
    person: Person
    tumours: TumourPicture
    documented: tuple[Documented, ...]
    declared: tuple[Declaration, ...]
    undecided: frozenset[str]
    treated_since: datetime | None
    circumstances: frozenset[Circumstance]
    unplanned_since: datetime | None
    windows: Windows
    foreign: bool
    has_all_stages: bool


def read_record(
    record: PatientRecord, source: Catalogue, at: datetime, *, thorough: bool = False, emergency: bool = False
) -> Readings:
    """The findings and issues of a record. Resources of another patient, or of nobody, are issues only.

    `thorough`: also of results that are older than the one that decides. `emergency`: with the windows of one, as
    where the record itself holds an unplanned contact that is going on.
    """
    own = OwnResources(record)
    whole = Completeness(record, own)
    total = Reading(issues=list(own.issues))

    person = Person()
    for patient in own.of(Patient):
        person, read = read_patient(patient, at)
        total.add(read)

    conditions = diagnoses(own.of(Condition), at)
    care, not_counted = stays(own.of(Encounter), at)
    unplanned = unplanned_since(care, at)
    windows = windows_at(at, unplanned, emergency=emergency)
    comorbidities = ConditionReader(source).read(conditions, windows)
    counts_encounters = whole.has_all(Encounter) and all(is_decided(encounter) for encounter in own.of(Encounter))
    is_listed = counts_encounters and whole.has_all(Condition)
    proof = documented(care, conditions.known, at, own.address_of) if is_listed else ()
    total.add(comorbidities.reading)
    total.add(read_encounters(care, at, complete=counts_encounters))
    total.issues += [*conditions.issues, *not_counted]

    observations, modified = understood_parts(own.of(Observation))
    total.issues += modified
    kinds = _by_kind(observations)
    tumours, of_tumour = read_tumours(
        conditions.known, kinds.histology, source, at, own.address_of, female=person.female
    )
    total.add(of_tumour)
    index = tumours.index.sources if tumours.index else ()
    total.add(read_condition_stages((d for d in conditions.known if d.address in index), source))
    circumstances, plain = read_circumstances(conditions.known, care, own.of(Procedure), kinds.plain, at)
    bedside = read_bedside(plain, at)
    observed = observation_reader(source).read(plain, windows, own.address_of, thorough=thorough)
    sited = [f for f in comorbidities.reading.findings if f.feature.startswith("stage_")]
    metastases = frozenset(source for finding in sited for source in finding.sources)
    observed.findings = ranked_by_tissue(observed.findings, observations, metastases, own.address_of)
    total.add(observed)
    studies = own.of(ImagingStudy)
    total.add(read_body_composition(kinds.body_composition, studies, source.schema, at, own.address_of))
    total.add(_genetics(kinds, own.of(MolecularSequence), at, whole))

    # what pathology says of a diagnosis may make it another malignancy
    is_prior_unclear = tumours.prior_unclear or not whole.has_all_stages
    complete = [kind for kind in get_args(Treatment) if whole.has_all_read(kind)]
    treatment = read_treatment(own, _treatable(tumours, total), source, windows, complete)
    total.add(treatment.reading)

    used = {*(one.address for one in proof), *(address for tumour in tumours.tumours for address in tumour.sources)}
    used |= {one.address for one in treatment.declared}
    telling = {issue.source for issue in circumstances.issues}
    telling |= {source for finding in bedside.findings for source in finding.sources} | {
        i.source for i in bedside.issues
    }
    total.issues = [i for i in total.issues if i.code != "code-unknown" or i.source not in telling]
    total.add(bedside)
    total.issues += circumstances.issues
    total.issues += _leftover(own, [*kinds.variants, *kinds.regions], total, used)
    total.issues += _for_objections(own)
    return Readings(
        findings=tuple(total.findings),
        issues=tuple(total.issues),
        person=person,
        tumours=tumours,
        documented=proof,
        declared=treatment.declared,
        undecided=comorbidities.undecided
        | treatment.undecided
        | ({"comorb_prior_malignancy"} if is_prior_unclear else frozenset()),
        treated_since=treatment.began,
        circumstances=frozenset(circumstances.hold),
        unplanned_since=unplanned,
        windows=windows,
        foreign=own.foreign,
        has_all_stages=whole.has_all_stages,
    )


def _treatable(tumours: TumourPicture, total: Reading) -> Tumours:
    """What an operation may be on: the tumours, and the confirmed sites of metastasis."""
    sites = [f for f in total.findings if f.value == 1 and f.feature.startswith("stage_met_")]
    keys = {tumour.entity for tumour in tumours.tumours} | {site.feature for site in sites}
    addresses = {s for tumour in tumours.tumours for s in tumour.sources} | {s for site in sites for s in site.sources}
    return Tumours(frozenset(keys), frozenset(addresses))


def _genetics(kinds: "_Kinds", sequences: list[MolecularSequence], at: datetime, whole: Completeness) -> Reading:
    reports, unused = variant_reports(kinds.variants, at)
    reading = germline_findings(report for report in reports if report.is_germline)
    reported, not_judged = somatic_evidence(report for report in reports if not report.is_germline)
    located, unlocated = read_sequences(sequences)
    understood = whole.has_all_variants and not any(issue.severity == "warning" for issue in unused)
    doubted = {symbol for report in reports if report.presence is None for symbol in report.symbols}
    sequenced, not_sequenced = sequenced_genes(kinds.regions, at, doubted, complete=understood)
    if not whole.has_all_variants:
        reported = without_silence(reported, all_reports=whole.has_all_reports)
    reading.add(gene_findings([*reported, *located, *sequenced]))
    reading.issues += [*unused, *not_judged, *unlocated, *not_sequenced]
    return reading


class _Kinds(msgspec.Struct, frozen=True):
    plain: ByCode
    variants: list[Observation]
    regions: list[Observation]
    histology: list[Observation]
    body_composition: list[Observation]


def _by_kind(observations: Iterable[Observation]) -> _Kinds:
    """Variants, regions studied, histology and body composition have readers of their own."""
    plain, variants = by_code(observations).without(LOINC, VARIANT)
    plain, regions = plain.without(LOINC, REGION)
    plain, histology = plain.without(LOINC, HISTOLOGY)
    composition = [observation for observation in plain.mixed if is_body_composition(observation)]
    rest = [observation for observation in plain.mixed if not is_body_composition(observation)]
    return _Kinds(ByCode(plain.single, rest), variants, regions, histology, composition)


def _leftover(own: OwnResources, genetics: list[Observation], total: Reading, used: set[str]) -> list[Issue]:
    """An issue for each resource of which nothing has been said yet: it was seen, and nothing in it is asked for.

    A genetic report is one where another report of the same gene decides.
    """
    said = used | {issue.source for issue in total.issues} | {s for f in total.findings for s in f.sources}
    unused = [resource.address for kind in _MAY_BE_UNUSED for resource in own.of(kind)]
    return [
        Issue("information", "not-needed", "nothing in it is asked for", address)
        for address in (*unused, *(report.address for report in genetics))
        if address not in said
    ]


def _for_objections(own: OwnResources) -> list[Issue]:
    """An issue for each flag and consent: they are no parameters, and a site says what they mean."""
    addresses = [resource.address for kind in get_args(Objection) for resource in own.of(kind)]
    return [Issue("information", "for-objections", "looked at for objections only", one) for one in addresses]
