"""Pathology reports (LOINC 59847-4): which diagnosis each is about, and what it may say of its site."""

from collections.abc import Mapping

from fhir_mappings.concepts import Catalogue
from fhir_mappings.entities import possible
from fhir_mappings.finding import Issue
from fhir_mappings.readers.conditions import Diagnosis
from fhir_mappings.record import Resolve
from fhir_mappings.resources.datatypes import Coding
from fhir_mappings.resources.r4 import Observation

HISTOLOGY = "59847-4"


def assigned(
    candidates: list[Diagnosis], reports: list[Observation], source: Catalogue, address_of: Resolve
) -> dict[str, list[Observation]]:
    """Pathology reports by the diagnosis they name; one that names none belongs to the only tumour there is.

    Several records may speak of that one tumour (problem list and billing): their codes leave a common entity open.
    """
    open_to = [possible((*d.condition.code.coding, *sites_of(d)), source) for d in candidates]
    alone = len(candidates) == 1 or (bool(open_to) and bool(frozenset.intersection(*open_to)))
    return {
        diagnosis.address: [
            report
            for report in reports
            if any(address_of(reference.reference) == diagnosis.address for reference in report.focus)
            or (alone and not report.focus)
        ]
        for diagnosis in candidates
    }


def unassigned(reports: list[Observation], about: Mapping[str, list[Observation]]) -> list[Issue]:
    used = {report.address for assigned in about.values() for report in assigned}
    text = "tells of no diagnosis, or of one of several"
    return [Issue("information", "report-unassigned", text, r.address) for r in reports if r.address not in used]


def sites_of(diagnosis: Diagnosis) -> list[Coding]:
    return [coding for site in diagnosis.condition.bodySite for coding in site.coding]


def sites_of_specimens(diagnosis: Diagnosis, reports: list[Observation], source: Catalogue) -> list[Coding]:
    """Sites of the reports' specimens; not one that the diagnosis rules out, for it may be that of a metastasis."""
    sites = [coding for report in reports if report.bodySite for coding in report.bodySite.coding]
    if not sites:
        return []
    open_to = possible((*diagnosis.condition.code.coding, *sites_of(diagnosis)), source)
    return [coding for coding in sites if not open_to or possible([coding], source) & open_to]
