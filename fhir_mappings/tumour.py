"""The tumours of a record: which entities, active or not, since when, and what their site and cells say."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import Catalogue
from fhir_mappings.entities import Evidence, decide, is_malignant, is_specific, morphologies, possible, topographies
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.histology import colon_right_sided, histology_flags, oropharynx
from fhir_mappings.pathology_reports import assigned, sites_of, sites_of_specimens, unassigned
from fhir_mappings.readers.conditions import Diagnosis, icd_codes
from fhir_mappings.readers.usable import MARKS, effective, unusable
from fhir_mappings.record import Resolve
from fhir_mappings.resources.datatypes import Coding
from fhir_mappings.resources.r4 import Observation
from fhir_mappings.timing import days_between, in_order

_MCODE_HISTOLOGY = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"
DAYS_A_MONTH = 30.4375
_PRIOR_MALIGNANCY_DAYS = 1826.0
_COLORECTAL = frozenset({"entity_colon", "entity_rectum"})

State = Literal["none", "one", "several", "inactive"]
_UNRESOLVED = frozenset({"morphology-needed", "morphology-conflict", "morphology-site-conflict"})


class Tumour(msgspec.Struct, frozen=True):
    """One diagnosed tumour of a known entity. `since` is the earliest of onset, record and pathology.

    `marks` travel with what the pathology said ("preliminary" where nothing final says it).
    """

    entity: str
    active: bool
    since: datetime | None
    pathology: datetime | None
    sources: tuple[str, ...]
    morphology: str = ""
    sites: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


class TumourPicture(msgspec.Struct, frozen=True):
    """All tumours of the record, one per entity. `index` is the one to score, only where `state` is "one".

    `prior_unclear`: another malignancy is recorded, but not when, or not whether it is another one.
    """

    state: State
    tumours: tuple[Tumour, ...] = ()
    prior_unclear: bool = False

    @property
    def index(self) -> Tumour | None:
        return next((t for t in self.tumours if t.active), None) if self.state == "one" else None


def read_tumours(
    known: list[Diagnosis],
    reports: Iterable[Observation],
    source: Catalogue,
    at: datetime,
    address_of: Resolve,
    *,
    female: bool | None,
) -> tuple[TumourPicture, Reading]:
    """Entities of all diagnoses, and the findings of the one that is scored (entity, histology, subsite)."""
    reading = Reading()
    usable = []
    for report in reports:
        issue = unusable(report, effective(report, at), at)
        if issue is None:
            usable.append(report)
        else:
            reading.issues.append(issue)
    candidates = [d for d in known if d.confirmed and _is_malignant(d, source)]
    about = assigned(candidates, usable, source, address_of)
    found: dict[str, Tumour] = {}
    unresolved: list[frozenset[str]] = []
    for diagnosis in candidates:
        tumour, issues = _tumour(diagnosis, about[diagnosis.address], source, at, female)
        reading.issues += issues
        if tumour is not None:
            earlier = found.get(tumour.entity)
            found[tumour.entity] = tumour if earlier is None else _same(earlier, tumour)
        elif diagnosis.active and any(issue.code in _UNRESOLVED for issue in issues):
            unresolved.append(possible((*diagnosis.condition.code.coding, *sites_of(diagnosis)), source))
    picture = TumourPicture(_state(found, unresolved), tuple(found.values()), bool(candidates))
    reading.issues += unassigned(usable, about) + _about_picture(picture)
    index = picture.index
    if index is not None:
        others = _others(index, candidates, found)
        picture = msgspec.structs.replace(picture, prior_unclear=any(began is None for began, _ in others))
        reading.findings += _findings(index, source) + _prior_malignancy(others, source, at)
    return picture, reading


def _is_malignant(diagnosis: Diagnosis, source: Catalogue) -> bool:
    """Whether a code names a tumour (of some entity, or another malignancy), or its cells are malignant."""
    concepts = (c for k in diagnosis.condition.code.coding for c in source.lookup(k.system, k.code))
    named = any(source.schema[c.key].is_entity or c.key == "comorb_prior_malignancy" for c in concepts)
    return named or any(is_malignant(m) for m in morphologies(_own_cells(diagnosis)))


def _own_cells(diagnosis: Diagnosis) -> list[Coding]:
    """What the diagnosis itself says of its cells, in mCODE's extension or as its code."""
    extended = [e.valueCodeableConcept for e in diagnosis.condition.extension if e.url == _MCODE_HISTOLOGY]
    return [c for concept in extended if concept for c in concept.coding] + list(diagnosis.condition.code.coding)


def _tumour(
    diagnosis: Diagnosis, reports: list[Observation], source: Catalogue, at: datetime, female: bool | None
) -> tuple[Tumour | None, tuple[Issue, ...]]:
    condition = diagnosis.condition
    sites = sites_of(diagnosis) + sites_of_specimens(diagnosis, reports, source)
    cells: list[Coding] = [c for r in reports if r.valueCodeableConcept for c in r.valueCodeableConcept.coding]
    own = _own_cells(diagnosis)
    named = tuple(dict.fromkeys(morphologies((*cells, *own))))
    decision = decide(Evidence(condition.code.coding, tuple(sites), named, female), source, diagnosis.address)
    if decision.entity is None:
        return None, decision.issues
    dates = [moment for report in reports if (moment := effective(report, at)) is not None]
    began = [*dates, *([diagnosis.since] if diagnosis.since else [])]
    marks = [set(MARKS.get(report.status, ())) for report in reports if report.valueCodeableConcept]
    tumour = Tumour(
        entity=decision.entity,
        active=diagnosis.active,
        since=min(began, key=in_order, default=None),
        pathology=min(dates, key=in_order, default=None),
        sources=(diagnosis.address, *(report.address for report in reports)),
        morphology=next((m for m in named if is_malignant(m) and is_specific(m)), named[0] if named else ""),
        sites=tuple(dict.fromkeys((*topographies(sites), *icd_codes(condition)))),
        marks=tuple(sorted(set.intersection(*marks))) if marks and not morphologies(own) else (),
    )
    return tumour, decision.issues


def _same(first: Tumour, second: Tumour) -> Tumour:
    """Two records of one entity are one tumour: active if either is, since the earlier."""
    since = [t.since for t in (first, second) if t.since]
    pathology = [t.pathology for t in (first, second) if t.pathology]
    return Tumour(
        entity=first.entity,
        active=first.active or second.active,
        since=min(since, key=in_order, default=None),
        pathology=min(pathology, key=in_order, default=None),
        sources=tuple(dict.fromkeys((*first.sources, *second.sources))),
        morphology=first.morphology or second.morphology,
        sites=tuple(dict.fromkeys((*first.sites, *second.sites))),
        marks=(first if first.morphology else second).marks,
    )


def _state(found: Mapping[str, Tumour], unresolved: Iterable[frozenset[str]]) -> State:
    """One active tumour, and none beside it whose type is not known but which is another one."""
    active = {tumour.entity for tumour in found.values() if tumour.active}
    if len(active) > 1 or (active and any(entities and not entities & active for entities in unresolved)):
        return "several"
    if active:
        return "one"
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
        Finding(
            key, value, source.schema[key].unit, tumour.since, tumour.sources, "diagnosis of the tumour",
            flags=tumour.marks,
        )
        for key, value in values.items()
    ]  # fmt: skip


def _others(
    index: Tumour, candidates: list[Diagnosis], found: Mapping[str, Tumour]
) -> list[tuple[datetime | None, tuple[str, ...]]]:
    """Malignancies of another entity, or of none, by when they began; codes of the same site never count."""
    own = {site[:3] for site in index.sites}
    recognised = {address for tumour in found.values() for address in tumour.sources}
    of_none = [
        (d.since, (d.address,))
        for d in candidates
        if d.address not in recognised and icd_codes(d.condition) and not {c[:3] for c in icd_codes(d.condition)} & own
    ]
    return [(t.since, t.sources) for t in found.values() if t.entity != index.entity] + of_none


def _prior_malignancy(
    others: list[tuple[datetime | None, tuple[str, ...]]], source: Catalogue, at: datetime
) -> list[Finding]:
    """Those within five years before `at`."""
    recent = [(began, names) for began, names in others if began and days_between(began, at) <= _PRIOR_MALIGNANCY_DAYS]
    unit = source.schema["comorb_prior_malignancy"].unit
    return [
        Finding("comorb_prior_malignancy", 1.0, unit, began, names, rule="another malignancy within 5 years")
        for began, names in recent
    ]
