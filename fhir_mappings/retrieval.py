"""The queries that find the catalogue's parameters: prefetch templates and searches from one source.

Codes stand bare in a query (`code=718-7,...`): servers differ in what they make of a system, and every answer is
matched exactly by (system, code) afterwards. Templates hold only `context.patientId`, no date arithmetic, no repeated
parameter, no chaining and no `_include`, so that every client can honour them (CDS Hooks 2.0, Prefetch Template).

A query asks for the codes of Observations, not for those of their components: many servers have no `combo-code`, and
of the published resources none holds a value in a component under a code that is not asked for. Body composition is
the exception: its own code is one of a site, its tissues are known.
"""

from collections.abc import Callable
from functools import cache

import msgspec

from fhir_mappings.concepts import LOINC, OWN, SNOMED, Catalogue, catalogue
from models.features import Feature

PAGE = 200  # a server may give less; `next` says so
MOST_TEMPLATES = 14  # more make a call slow where a client fills all of them
_MDC = "urn:iso:std:iso:11073:10101"
_NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
_BOA_TISSUES = "https://uk-essen.de/fhir/ValueSet/boa/tissues"
_OBSERVED = frozenset({LOINC, SNOMED, _MDC, _NCIT, OWN})
# What the code of an Observation may mean; all other rows are answers, diagnoses, or never used.
_READ = frozenset({"value", "level", "component", "panel", "part", "percent_of_leukocytes", "multiple_of_limit"})
# Parts that no Observation has as its own code: a kind of therapy (Procedure), the class of a variant (component).
_NEVER_ALONE = frozenset({(SNOMED, "367336001"), (LOINC, "48002-0")})


class Query(msgspec.Struct, frozen=True):
    """One query. `search` is relative to the FHIR base, `{patient}` stands for the bare patient id.

    `include` names the reference whose targets a search brings along (`MedicationRequest:medication`). `by_hand`: worth
    typing where a client does not read discovery.
    """

    key: str
    type: str
    search: str
    include: str = ""
    by_hand: bool = False

    @property
    def template(self) -> str | None:
        """The CDS Hooks prefetch template. None where the search needs `_include`, which no template should use.

        Without it the key would come filled with references to nothing, and would not be searched for again.
        """
        return None if self.include else self.search.replace("{patient}", "{{context.patientId}}")

    def url(self, patient_id: str) -> str:
        """The search, relative to the FHIR base."""
        included = f"&_include={self.include}" if self.include else ""
        return self.search.replace("{patient}", patient_id) + included


def _observations(key: str, source: Catalogue, wants: Callable[[Feature], bool], *, by_hand: bool = False) -> Query:
    codes = ",".join(observation_codes(source, wants))
    return Query(key, "Observation", f"Observation?patient={{patient}}&code={codes}{_newest('date')}", by_hand=by_hand)


def observation_codes(source: Catalogue, wants: Callable[[Feature], bool]) -> list[str]:
    """The codes under which an Observation may carry one of these parameters, or a part of one, in order."""
    return sorted(
        {
            row["code"]
            for row in source.rows
            if row["system"] in _OBSERVED
            and row["meaning"] in _READ
            and (row["system"], row["code"]) not in _NEVER_ALONE
            and wants(source.schema[row["key"]])
        }
    )


def _of(*modalities: str) -> Callable[[Feature], bool]:
    return lambda feature: feature.modality in modalities and not feature.is_entity and not _is_marker(feature)


def _is_marker(feature: Feature) -> bool:
    """Tumour markers have a query of their own: with them the one of the laboratory would hardly fit an address."""
    return feature.family.startswith("marker_")


def _body_composition(source: Catalogue) -> Query:
    tissues = ",".join(sorted({row["code"] for row in source.rows if row["system"] == _BOA_TISSUES}))
    search = f"Observation?patient={{patient}}&component-code={tissues}{_newest('date')}"
    return Query("bodyComposition", "Observation", search)


def _all_of(key: str, kind: str, sort: str = "", *, by_hand: bool = False) -> Query:
    return Query(key, kind, f"{kind}?patient={{patient}}{_newest(sort)}", by_hand=by_hand)


def _medications(key: str, kind: str, sort: str) -> Query:
    return Query(key, kind, f"{kind}?patient={{patient}}{_newest(sort)}", include=f"{kind}:medication")


def _newest(sort: str) -> str:
    """The newest first, where a type has a date to sort by; what one page cannot hold is behind its `next` link."""
    return f"&_sort=-{sort}&_count={PAGE}" if sort else f"&_count={PAGE}"


@cache
def queries() -> tuple[Query, ...]:
    """Every query of the shipped catalogue; those that the score depends on most come first (docs/retrieval.md)."""
    source = catalogue()
    return (
        Query("patient", "Patient", "Patient/{patient}", by_hand=True),
        _all_of("conditions", "Condition", by_hand=True),
        _observations("tumour", source, _of("tumour", "imaging"), by_hand=True),
        _observations("genetics", source, _of("genetics"), by_hand=True),
        _observations("function", source, _of("function", "history"), by_hand=True),
        _observations("laboratory", source, _of("laboratory"), by_hand=True),
        _all_of("sequences", "MolecularSequence", by_hand=True),
        _all_of("encounters", "Encounter", "date", by_hand=True),
        _observations("tumourMarkers", source, _is_marker),
        _all_of("procedures", "Procedure", "date"),
        _all_of("lists", "List", "date"),
        _body_composition(source),
        _all_of("imagingStudies", "ImagingStudy", "started"),
        _medications("medicationAdministrations", "MedicationAdministration", "effective-time"),
        _medications("medicationStatements", "MedicationStatement", "effective"),
        _medications("medicationRequests", "MedicationRequest", "authoredon"),
    )
