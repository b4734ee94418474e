"""The queries that find the catalogue's parameters: prefetch templates and searches from one source.

Codes stand bare in a query (`code=718-7,...`): servers differ in what they make of a system, and every answer is
matched exactly by (system, code) afterwards. Templates hold only `context.patientId`, no date arithmetic, no repeated
parameter and no chaining, so that every client can honour them (CDS Hooks 2.0, Prefetch Template).
"""

from collections.abc import Iterable
from functools import cache

import msgspec

from fhir_mappings.concepts import LOINC, OWN, SNOMED, Catalogue, catalogue
from models.features import Modality

PAGE = 200  # a server may give less; `next` says so
_MDC = "urn:iso:std:iso:11073:10101"
_BOA_TISSUES = "https://uk-essen.de/fhir/ValueSet/boa/tissues"
_OBSERVED = (LOINC, SNOMED, _MDC, OWN)
# answers are values, not codes of an Observation; ICD-like categories are found through Condition
_NOT_A_CODE = frozenset({"category", "ignored"})


class Query(msgspec.Struct, frozen=True):
    """One query. `search` is relative to the FHIR base, `{patient}` stands for the bare patient id.

    `max_age_days`: no parameter of this query looks further back (None: at least one does), so a search may be limited
    by date.
    """

    key: str
    type: str
    search: str
    max_age_days: float | None = None

    @property
    def template(self) -> str:
        """The CDS Hooks prefetch template."""
        return self.search.replace("{patient}", "{{context.patientId}}")

    def url(self, patient_id: str) -> str:
        return self.search.replace("{patient}", patient_id)


def _observation_codes(source: Catalogue, modalities: Iterable[Modality]) -> list[str]:
    wanted = set(modalities)
    codes = {
        row["code"]
        for row in source.rows
        if row["system"] in _OBSERVED
        and row["meaning"] not in _NOT_A_CODE
        and not row["meaning"].startswith("level=")
        and source.schema[row["key"]].modality in wanted
        and not source.schema[row["key"]].is_entity
    }
    return sorted(codes)


def _observations(key: str, source: Catalogue, *modalities: Modality) -> Query:
    windows = [f.window_days for f in source.schema.features if f.modality in modalities and not f.is_entity]
    limited = None if None in windows else max((w for w in windows if w is not None), default=None)
    codes = ",".join(_observation_codes(source, modalities))
    search = f"Observation?patient={{patient}}&code={codes}&_sort=-date&_count={PAGE}"
    return Query(key, "Observation", search, limited)


def _body_composition(source: Catalogue) -> Query:
    tissues = sorted({row["code"] for row in source.rows if row["system"] == _BOA_TISSUES})
    search = f"Observation?patient={{patient}}&component-code={','.join(tissues)}&_sort=-date&_count={PAGE}"
    return Query("bodyComposition", "Observation", search)


@cache
def queries() -> tuple[Query, ...]:
    """Every query of the shipped catalogue, in the order in which a client should fill them."""
    source = catalogue()
    return (
        Query("patient", "Patient", "Patient/{patient}"),
        Query("conditions", "Condition", f"Condition?patient={{patient}}&_count={PAGE}"),
        _observations("laboratory", source, "laboratory"),
        _observations("tumour", source, "tumour"),
        _observations("function", source, "function", "history"),
        _observations("genetics", source, "genetics"),
        Query("encounters", "Encounter", f"Encounter?patient={{patient}}&_sort=-date&_count={PAGE}"),
        _observations("imaging", source, "imaging"),
        _body_composition(source),
        Query("imagingStudies", "ImagingStudy", f"ImagingStudy?patient={{patient}}&_sort=-started&_count={PAGE}"),
        Query("sequences", "MolecularSequence", f"MolecularSequence?patient={{patient}}&_count={PAGE}"),
    )
