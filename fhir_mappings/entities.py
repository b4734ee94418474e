"""Which of the 38 solid tumours a diagnosis names: morphology before topography before SNOMED before ICD-10."""

import re
from collections.abc import Iterable

import msgspec

from fhir_mappings.concepts import ICD10, ICD_O_3, SNOMED, Catalogue, Concept, canonical
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
# A site code alone usually means this entity of the two that share the site; a SNOMED code names the cells itself.
HISTOLOGY_ASSUMED = frozenset({"entity_nsclc"})
# neoplasm or carcinoma without further detail; 8002 is a malignant tumour of small cells
_UNSPECIFIC = frozenset(range(8000, 8011)) - {8002}
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
    return canonical(coding.system) == ICD_O_3


def is_malignant(morphology: str) -> bool:
    return morphology.endswith(("/3", "/6"))


def is_specific(morphology: str) -> bool:
    """Whether it says more than that there is a tumour or a carcinoma."""
    return int(morphology[:4]) not in _UNSPECIFIC


def possible(codings: Iterable[Coding], source: Catalogue) -> frozenset[str]:
    """The entities that codes of a diagnosis or of a site leave open, before anything else is known."""
    sited = (coding for coding in codings if not _MORPHOLOGY.fullmatch(coding.code))
    return frozenset(c.key for coding in sited for c in _entity(source, coding) if c.meaning != "ignored")


def decide(evidence: Evidence, source: Catalogue, address: str) -> Decision:
    """The entity of one diagnosis, after `entities.csv` (order of evidence, exclusions, what needs morphology)."""
    malignant = tuple(m for m in evidence.morphologies if is_malignant(m))
    if evidence.morphologies and not malignant:
        return _none("not-malignant", "the morphology is benign, uncertain or in situ", address)
    if any(int(m[:4]) in _HAEMATOLOGICAL for m in malignant):
        return _none("haematological", "a blood cancer is not scored", address)
    specific = {f"{m[:4]}/3" for m in malignant if is_specific(m)}
    if len(specific) > 1:
        return _none("morphology-conflict", "more than one morphology is recorded", address)
    site = _by_site(evidence, source)
    if specific:
        decision = _with_morphology(specific.pop(), site, source, address)
    else:
        decision = _without_morphology(site, address)
    if not site.otherwise:
        return decision
    said = Issue("warning", "site-conflict", f"the code says {', '.join(sorted(site.otherwise))}", address)
    return Decision(decision.entity, (*decision.issues, said))


class _Site(msgspec.Struct, frozen=True):
    """Entities that share the site. `open` are those that need nothing more than it.

    `names_cells`: SNOMED codes name the tumour, not only its site. `otherwise`: what the diagnosis code says instead.
    """

    entities: frozenset[str]
    open: frozenset[str]
    excluded: frozenset[str]
    names_cells: bool = False
    otherwise: frozenset[str] = frozenset()


def _by_site(evidence: Evidence, source: Catalogue) -> _Site:
    topography = _merge(_at(topographies((*evidence.sites, *evidence.codes)), source), evidence.female)
    snomed, icd = (
        _merge((c for k in evidence.codes if _names(k, systems, source) for c in _entity(source, k)), evidence.female)
        for systems in (frozenset({SNOMED}), ICD10)
    )
    if snomed.open and (not topography.entities or snomed.open <= topography.entities):
        entities = topography.entities or snomed.entities
        return _Site(entities, snomed.open, topography.excluded | snomed.excluded, names_cells=True)
    if not topography.entities and not topography.excluded:
        return snomed if snomed.entities or snomed.excluded else icd
    coded = snomed.entities | icd.entities
    contradicts = topography.entities and coded and not coded & (topography.entities | ANYWHERE.keys())
    return msgspec.structs.replace(topography, otherwise=coded if contradicts else frozenset())


def _names(coding: Coding, systems: frozenset[str], source: Catalogue) -> bool:
    """Whether a code is of these systems, or stands for one; what a site maps to a cancer type itself is as ICD-10."""
    own = source.site.codes.get((canonical(coding.system), coding.code))
    if own and not own.stands_for:
        return systems is ICD10
    return source.read_as(coding.system, coding.code)[0] in systems


def _at(sites: Iterable[str], source: Catalogue) -> list[Concept]:
    return [concept for site in sites for concept in _entity(source, Coding(ICD_O_3, site))]


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
        return Decision(entity, (assumed,) if entity in HISTOLOGY_ASSUMED and not site.names_cells else ())
    if site.entities:
        return _none("morphology-needed", "the site alone does not tell the tumour type", address)
    return Decision(None)


def _none(code: str, text: str, address: str) -> Decision:
    return Decision(None, (Issue("warning", code, text, address),))
