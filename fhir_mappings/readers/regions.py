"""Regions studied (LOINC 53041-0, HL7 Genomics Reporting) -> genes that were sequenced: 0 where nothing is reported."""

from collections.abc import Collection, Iterable
from datetime import datetime

from fhir_mappings.finding import Issue
from fhir_mappings.gene_rules import RULES
from fhir_mappings.readers.gene_evidence import GeneEvidence
from fhir_mappings.readers.usable import MARKS, STATUS_RANK, effective, unusable
from fhir_mappings.readers.variants import genes_of, has_code
from fhir_mappings.resources.r4 import Observation

REGION = "53041-0"
# Only these changes, or only these bases, were looked at: the rest of the gene is not known.
_PART_OF_A_GENE = ("36908-2", "51959-5")


def sequenced_genes(
    observations: Iterable[Observation], at: datetime, doubted: Collection[str], *, complete: bool
) -> tuple[list[GeneEvidence], list[Issue]]:
    """One negative statement by sequence for each gene studied; any reported variant of the gene stands above it.

    `complete`: all variants of the patient are at hand and understood; without them nothing is concluded from silence.
    `doubted` are genes of which a variant is reported that may be there or not.
    """
    evidence: list[GeneEvidence] = []
    issues: list[Issue] = []
    for observation in observations:
        when = effective(observation, at)
        issue = unusable(observation, when, at)
        if issue is None:
            found, issue = _sequenced(observation, when, doubted, complete=complete)
            evidence += found
        if issue is not None:
            issues.append(issue)
    return evidence, issues


def _sequenced(
    observation: Observation, when: datetime | None, doubted: Collection[str], *, complete: bool
) -> tuple[list[GeneEvidence], Issue | None]:
    symbols, conflict = genes_of(observation)
    known = [symbol for symbol in symbols if symbol in RULES]
    if conflict:
        return [], Issue("warning", "gene-conflict", conflict, observation.address)
    if not known:
        return [], Issue("information", "gene-unknown", "no gene of the catalogue", observation.address)
    if not complete or any(has_code(part, code) for part in observation.component for code in _PART_OF_A_GENE):
        text = f"{', '.join(known)}: not the whole gene, or not all that was reported"
        return [], Issue("information", "test-cannot-exclude", text, observation.address)
    rank, flags = STATUS_RANK[observation.status], MARKS.get(observation.status, ())
    return [
        GeneEvidence(
            symbol, "negative", observation.address, when, rank, rule="in the region studied, not reported", flags=flags
        )
        for symbol in known
        if symbol not in doubted
    ], None
