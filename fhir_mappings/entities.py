"""Which of the 38 solid tumours a diagnosis names: morphology before topography before SNOMED before ICD-10."""

import re
from collections.abc import Iterable

import msgspec

from fhir_mappings.concepts import ICD_O_3, SNOMED, Catalogue, Concept
from fhir_mappings.finding import Issue
from fhir_mappings.resources.datatypes import Coding

_MORPHOLOGY = re.compile(r"(\d{4})/(\d)")
_TOPOGRAPHY = re.compile(r"C\d\d(\.\d)?")

# Told by their cells wherever they lie; for all others the morphology counts only together with the site.
ANYWHERE: dict[str, range] = {
    "entity_neuroendocrine": range(8000, 9000),
    "entity_soft_tissue_sarcoma": range(8800, 9600),
    "entity_gist": range(8936, 8937),
    "entity_bone_sarcoma": range(9180, 9400),
    "entity_testicular": range(9060, 9103),
    "entity_melanoma": range(8720, 8791),
    "entity_thymic": range(8580, 8590),
}
# A site code alone usually means this entity of the two that share the site.
HISTOLOGY_ASSUMED = frozenset({"entity_nsclc"})
_UNSPECIFIC = range(8000, 8011)  # neoplasm or carcinoma without further detail
_HAEMATOLOGICAL = range(9590, 9994)


class Evidence(msgspec.Struct, frozen=True):
    """Everything coded about one diagnosis. `morphologies` may come from a pathology report about it."""

    codes: tuple[Coding, ...]
    sites: tuple[Coding, ...] = ()
    morphologies: tuple[str, ...] = ()
    female: bool | None = None


class Decision(msgspec.Struct, frozen=True):
    """The entity (None: none that is recognised) and what has to be said about the choice."""

    entity: str | None
    issues: tuple[Issue, ...] = ()


def morphologies(codings: Iterable[Coding]) -> tuple[str, ...]:
    """The ICD-O-3 morphology codes ("8140/3") among codings."""
    return tuple(c.code for c in codings if _is_icd_o_3(c) and _MORPHOLOGY.fullmatch(c.code))


def topographies(codings: Iterable[Coding]) -> tuple[str, ...]:
    """The ICD-O-3 topography codes ("C34.1") among codings."""
    return tuple(c.code for c in codings if _is_icd_o_3(c) and _TOPOGRAPHY.fullmatch(c.code))


def _is_icd_o_3(coding: Coding) -> bool:
    return coding.system in {ICD_O_3, "http://hl7.org/fhir/sid/icd-o-3", "urn:oid:2.16.840.1.113883.6.43.1"}


def decide(evidence: Evidence, source: Catalogue, address: str) -> Decision:
    """The entity of one diagnosis, after `entities.csv` (order of evidence, exclusions, what needs morphology)."""
    malignant = tuple(m for m in evidence.morphologies if m.endswith(("/3", "/6")))
    if evidence.morphologies and not malignant:
        return _none("not-malignant", "the morphology is benign, uncertain or in situ", address)
    numbers = {int(m[:4]) for m in malignant}
    if any(n in _HAEMATOLOGICAL for n in numbers):
        return _none("haematological", "a blood cancer is not scored", address)
    specific = {f"{n}/3" for n in numbers if n not in _UNSPECIFIC}
    if len(specific) > 1:
        return _none("morphology-conflict", "more than one morphology is recorded", address)
    site = _by_site(evidence, source)
    if specific:
        return _with_morphology(specific.pop(), site, source, address)
    return _without_morphology(site, address)


class _Site(msgspec.Struct, frozen=True):
    """Entities that share the site. `open` are those that need nothing more than it."""

    entities: frozenset[str]
    open: frozenset[str]
    excluded: frozenset[str]


def _by_site(evidence: Evidence, source: Catalogue) -> _Site:
    topography = _merge(_concepts(evidence.sites, source, topographies(evidence.sites)), evidence.female)
    snomed = _merge((c for k in evidence.codes if k.system == SNOMED for c in _entity(source, k)), evidence.female)
    icd = _merge((c for k in evidence.codes if k.system != SNOMED for c in _entity(source, k)), evidence.female)
    if topography.entities and snomed.open and snomed.open <= topography.entities:
        return _Site(topography.entities, snomed.open, topography.excluded)
    for found in (topography, snomed, icd):
        if found.entities or found.excluded:
            return found
    return icd


def _concepts(codings: Iterable[Coding], source: Catalogue, codes: tuple[str, ...]) -> list[Concept]:
    return [concept for coding in codings if coding.code in codes for concept in _entity(source, coding)]


def _entity(source: Catalogue, coding: Coding) -> list[Concept]:
    return [c for c in source.lookup(coding.system, coding.code) if source.schema[c.key].is_entity]


def _merge(concepts: Iterable[Concept], female: bool | None) -> _Site:
    known = list(concepts)
    counted = [c for c in known if c.meaning != "ignored" and (c.requires != "female" or female)]
    return _Site(
        frozenset(c.key for c in counted),
        frozenset(c.key for c in counted if c.requires != "morphology"),
        frozenset(c.key for c in known if c.meaning == "ignored"),
    )


def _with_morphology(morphology: str, site: _Site, source: Catalogue, address: str) -> Decision:
    listed = frozenset(c.key for c in source.lookup(ICD_O_3, morphology) if source.schema[c.key].is_entity)
    number = int(morphology[:4])
    anywhere = {entity for entity in listed - site.excluded if number in ANYWHERE.get(entity, ())}
    for candidates in (listed & site.entities, anywhere):
        if len(candidates) == 1:
            return Decision(next(iter(candidates)))
    if not listed and len(site.open) == 1:
        note = Issue("information", "morphology-not-listed", f"{morphology} is not listed for the site", address)
        return Decision(next(iter(site.open)), (note,))
    return _none("morphology-site-conflict", f"{morphology} does not fit the recorded site", address)


def _without_morphology(site: _Site, address: str) -> Decision:
    if len(site.open) == 1:
        entity = next(iter(site.open))
        assumed = Issue("information", "histology-assumed", f"{entity} assumed from the site alone", address)
        return Decision(entity, (assumed,) if entity in HISTOLOGY_ASSUMED else ())
    if site.entities:
        return _none("morphology-needed", "the site alone does not tell the tumour type", address)
    return Decision(None)


def _none(code: str, text: str, address: str) -> Decision:
    return Decision(None, (Issue("warning", code, text, address),))
