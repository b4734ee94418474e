"""Which findings are of the tissue of a metastasis: those whose `focus` is its Condition (mCODE tumour marker test)."""

from collections.abc import Iterable

import msgspec

from fhir_mappings.choosing import MARKERS, METASTASIS_RANK
from fhir_mappings.finding import Finding
from fhir_mappings.record import Resolve
from fhir_mappings.resources.r4 import Observation


def ranked_by_tissue(
    findings: Iterable[Finding], observations: Iterable[Observation], metastases: frozenset[str], address_of: Resolve
) -> list[Finding]:
    """The findings, those of markers of metastatic tissue ranked above. `metastases`: addresses of their Conditions."""
    if not metastases:
        return list(findings)
    metastatic = {
        observation.address
        for observation in observations
        if any(address_of(named.reference) in metastases for named in observation.focus)
    }
    return [
        msgspec.structs.replace(finding, rank=finding.rank + METASTASIS_RANK)
        if finding.feature in MARKERS and metastatic.intersection(finding.sources)
        else finding
        for finding in findings
    ]
