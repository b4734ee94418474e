"""Germline variants -> one flag: is a pathogenic variant of a cancer predisposition gene reported."""

from collections.abc import Iterable

from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.variants import NOT_PATHOGENIC, PATHOGENIC, Report
from fhir_mappings.timing import in_order

GERMLINE = "gene_germline_pathogenic"

# Genes whose pathogenic germline variants predispose to solid tumours (ACMG secondary findings v3.2, and moderate-risk
# genes of the NCCN list); recalled, to be checked by a molecular pathologist.
PREDISPOSITION = frozenset(
    {
        "APC", "ATM", "BAP1", "BARD1", "BMPR1A", "BRCA1", "BRCA2", "BRIP1", "CDH1", "CDK4", "CDKN2A", "CHEK2", "DICER1",
        "EPCAM", "FH", "FLCN", "KIT", "MAX", "MEN1", "MET", "MLH1", "MSH2", "MSH6", "MUTYH", "NBN", "NF1", "NF2",
        "NTHL1", "PALB2", "PDGFRA", "PMS2", "POLD1", "POLE", "PTCH1", "PTEN", "RAD51C", "RAD51D", "RB1", "RET", "SDHA",
        "SDHAF2", "SDHB", "SDHC", "SDHD", "SMAD4", "SMARCA4", "SMARCB1", "STK11", "TMEM127", "TP53", "TSC1", "TSC2",
        "VHL", "WT1",
    }
)  # fmt: skip


def germline_findings(reports: Iterable[Report]) -> Reading:
    """One finding at most: any pathogenic variant gives 1, else 0 where variants are stated as not pathogenic."""
    reading = Reading()
    said: dict[bool, list[Report]] = {True: [], False: []}
    for report in reports:
        issue = _unused(report)
        if issue is None:
            said[bool(report.significance & PATHOGENIC)].append(report)
        else:
            reading.issues.append(issue)
    deciding = said[True] or said[False]
    if deciding:
        reading.findings.append(_finding(float(bool(said[True])), deciding))
    return reading


def _unused(report: Report) -> Issue | None:
    if not set(report.symbols) & PREDISPOSITION:
        return Issue("information", "gene-unknown", "germline, of no cancer predisposition gene", report.source)
    if not report.presence:
        return Issue("information", "presence-not-stated", "germline, not stated as present", report.source)
    if not report.significance & (PATHOGENIC | NOT_PATHOGENIC):
        return Issue("information", "significance-not-stated", "germline, of unstated significance", report.source)
    return None


def _finding(value: float, reports: list[Report]) -> Finding:
    dated = [report.effective for report in reports if report.effective]
    return Finding(
        GERMLINE,
        value,
        "1",
        max(dated, key=in_order, default=None),
        tuple(report.source for report in reports),
        "stated significance of a germline variant",
        max(report.rank for report in reports),
        tuple(sorted(set.intersection(*(set(report.flags) for report in reports)))),
    )
