"""The tumours of a record: which entities, active or not, since when, and what their site and cells say."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import LOINC, Catalogue
from fhir_mappings.entities import Evidence, decide, morphologies, topographies
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.histology import colon_right_sided, histology_flags, oropharynx
from fhir_mappings.readers.conditions import Diagnosis, icd_codes
from fhir_mappings.readers.observations import effective, unusable
from fhir_mappings.resources.datatypes import Coding
from fhir_mappings.resources.r4 import Observation
from fhir_mappings.timing import days_between

HISTOLOGY = (LOINC, "59847-4")
_MCODE_HISTOLOGY = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"
DAYS_A_MONTH = 30.4375
_PRIOR_MALIGNANCY_DAYS = 1826.0
_COLORECTAL = frozenset({"entity_colon", "entity_rectum"})

State = Literal["none", "one", "several", "inactive"]


class Tumour(msgspec.Struct, frozen=True):
    """One diagnosed tumour of a known entity. `since` is the earliest of onset, record and pathology."""

    entity: str
    active: bool
    since: datetime | None
    pathology: datetime | None
    sources: tuple[str, ...]
    morphology: str = ""
    sites: tuple[str, ...] = ()


class TumourPicture(msgspec.Struct, frozen=True):
    """All tumours of the record, one per entity. `index` is the one to score, only where `state` is "one"."""

    state: State
    tumours: tuple[Tumour, ...] = ()

    @property
    def index(self) -> Tumour | None:
        return next((t for t in self.tumours if t.active), None) if self.state == "one" else None


def is_histology(observation: Observation) -> bool:
    return any((coding.system, coding.code) == HISTOLOGY for coding in observation.code.coding)


def read_tumours(
    known: list[Diagnosis], reports: Iterable[Observation], source: Catalogue, at: datetime, *, female: bool | None
) -> tuple[TumourPicture, Reading]:
    """Entities of all diagnoses, and the findings of the one that is scored (entity, histology, subsite)."""
    reading = Reading()
    usable = []
    for report in reports:
        issue = unusable(report, effective(report), at)
        if issue is None:
            usable.append(report)
        else:
            reading.issues.append(issue)
    candidates = [d for d in known if d.confirmed and _is_malignant(d, source)]
    found: dict[str, Tumour] = {}
    for diagnosis in candidates:
        about = _reports_about(diagnosis, usable, alone=len(candidates) == 1)
        tumour, issues = _tumour(diagnosis, about, source, female)
        reading.issues += issues
        if tumour is not None:
            earlier = found.get(tumour.entity)
            found[tumour.entity] = tumour if earlier is None else _same(earlier, tumour)
    picture = TumourPicture(_state(found), tuple(found.values()))
    reading.issues += _about_picture(picture)
    index = picture.index
    if index is not None:
        reading.findings += _findings(index, source)
        reading.findings += _prior_malignancy(index, candidates, found, source, at)
    return picture, reading


def _is_malignant(diagnosis: Diagnosis, source: Catalogue) -> bool:
    """Whether a code names a tumour that some entity (or another malignancy) is told from."""
    concepts = (c for k in diagnosis.condition.code.coding for c in source.lookup(k.system, k.code))
    return any(source.schema[c.key].is_entity or c.key == "comorb_prior_malignancy" for c in concepts)


def _reports_about(diagnosis: Diagnosis, reports: list[Observation], *, alone: bool) -> list[Observation]:
    """Pathology reports that name this diagnosis; one that names none belongs to the only diagnosis there is."""
    return [
        report
        for report in reports
        if any(reference.reference == diagnosis.address for reference in report.focus) or (alone and not report.focus)
    ]


def _tumour(
    diagnosis: Diagnosis, reports: list[Observation], source: Catalogue, female: bool | None
) -> tuple[Tumour | None, tuple[Issue, ...]]:
    condition = diagnosis.condition
    sites = [coding for site in condition.bodySite for coding in site.coding]
    sites += [coding for report in reports if report.bodySite for coding in report.bodySite.coding]
    cells: list[Coding] = [c for r in reports if r.valueCodeableConcept for c in r.valueCodeableConcept.coding]
    extended = [e.valueCodeableConcept for e in condition.extension if e.url == _MCODE_HISTOLOGY]
    cells += [coding for concept in extended if concept for coding in concept.coding]
    named = tuple(dict.fromkeys(morphologies((*cells, *condition.code.coding))))
    decision = decide(Evidence(condition.code.coding, tuple(sites), named, female), source, diagnosis.address)
    if decision.entity is None:
        return None, decision.issues
    dates = [moment for report in reports if (moment := effective(report)) is not None]
    began = [*dates, *([diagnosis.since] if diagnosis.since else [])]
    tumour = Tumour(
        entity=decision.entity,
        active=diagnosis.active,
        since=min(began, default=None),
        pathology=min(dates, default=None),
        sources=(diagnosis.address, *(report.address for report in reports)),
        morphology=named[0] if named else "",
        sites=tuple(dict.fromkeys((*topographies(sites), *icd_codes(condition)))),
    )
    return tumour, decision.issues


def _same(first: Tumour, second: Tumour) -> Tumour:
    """Two records of one entity are one tumour: active if either is, since the earlier."""
    since = [t.since for t in (first, second) if t.since]
    pathology = [t.pathology for t in (first, second) if t.pathology]
    return Tumour(
        entity=first.entity,
        active=first.active or second.active,
        since=min(since, default=None),
        pathology=min(pathology, default=None),
        sources=(*first.sources, *second.sources),
        morphology=first.morphology or second.morphology,
        sites=(*first.sites, *second.sites),
    )


def _state(found: Mapping[str, Tumour]) -> State:
    active = [tumour for tumour in found.values() if tumour.active]
    if len(active) == 1:
        return "one"
    if active:
        return "several"
    return "inactive" if found else "none"


def _about_picture(picture: TumourPicture) -> list[Issue]:
    code = {"several": "several-primaries", "inactive": "tumour-inactive"}.get(picture.state)
    if code is None:
        return []
    named = ", ".join(tumour.entity for tumour in picture.tumours)
    return [Issue("warning", code, named, source) for tumour in picture.tumours for source in tumour.sources[:1]]


def _findings(tumour: Tumour, source: Catalogue) -> list[Finding]:
    """Entity, histology flags and subsite of the scored tumour, dated by its diagnosis."""
    values: dict[str, float] = {tumour.entity: 1.0}
    if tumour.morphology:
        site = tumour.sites[0] if tumour.sites else None
        values |= {key: float(flag) for key, flag in histology_flags(tumour.morphology, site).items()}
    sides = [colon_right_sided(s) for s in tumour.sites] if tumour.entity in _COLORECTAL else []
    throats = [oropharynx(s) for s in tumour.sites] if tumour.entity == "entity_head_neck" else []
    for key, stated in (("path_colon_right_sided", sides), ("path_oropharynx", throats)):
        known = {value for value in stated if value is not None}
        if len(known) == 1:
            values[key] = float(known.pop())
    return [
        Finding(key, value, source.schema[key].unit, tumour.since, tumour.sources, rule="diagnosis of the tumour")
        for key, value in values.items()
    ]


def _prior_malignancy(
    index: Tumour, candidates: list[Diagnosis], found: Mapping[str, Tumour], source: Catalogue, at: datetime
) -> list[Finding]:
    """A malignancy of another entity, or of none, within five years before `at`; codes of the same site never count."""
    own = {site[:3] for site in index.sites}
    others = [(tumour.since, tumour.sources) for tumour in found.values() if tumour.entity != index.entity]
    recognised = {address for tumour in found.values() for address in tumour.sources}
    others += [
        (d.since, (d.address,))
        for d in candidates
        if d.address not in recognised and icd_codes(d.condition) and not {c[:3] for c in icd_codes(d.condition)} & own
    ]
    recent = [(since, names) for since, names in others if since and days_between(since, at) <= _PRIOR_MALIGNANCY_DAYS]
    unit = source.schema["comorb_prior_malignancy"].unit
    return [
        Finding("comorb_prior_malignancy", 1.0, unit, since, names, rule="another malignancy within 5 years")
        for since, names in recent
    ]
