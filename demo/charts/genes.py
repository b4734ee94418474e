"""Genetic findings as HL7 Genomics Reporting carries them: one Observation 69548-6 each, its parts as components."""

from typing import Literal

from demo.charts.chart import Chart
from demo.charts.codes import HGNC, HGVS, Element, coding, concept, loinc, quantity

_HGNC_IDS = {
    "BRAF": "HGNC:1097",
    "CHEK2": "HGNC:16627",
    "EGFR": "HGNC:3236",
    "KEAP1": "HGNC:23177",
    "KRAS": "HGNC:6407",
    "NRAS": "HGNC:7989",
    "STK11": "HGNC:11389",
    "TP53": "HGNC:11998",
}
_CATEGORIES = [
    concept(coding("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")),
    concept(coding("http://terminology.hl7.org/CodeSystem/v2-0074", "GE", "Genetics")),
]
_ORIGIN = {"somatic": loinc("LA6684-0", "Somatic"), "germline": loinc("LA6683-2", "Germline")}
_SIGNIFICANCE = {
    "pathogenic": loinc("LA6668-3", "Pathogenic"),
    "uncertain": loinc("LA26333-7", "Uncertain significance"),
    "benign": loinc("LA6675-8", "Benign"),
}
_ASSESSMENT = concept(loinc("69548-6", "Genetic variant assessment"))


def variant(
    chart: Chart,
    gene: str,
    when: str,
    protein: str,
    coding_change: str,
    *,
    fraction: float | None = None,
    origin: Literal["somatic", "germline"] = "somatic",
    significance: Literal["pathogenic", "uncertain", "benign"] = "pathogenic",
    sequence: str = "",
) -> None:
    """A variant that was found; `sequence` names the MolecularSequence that it was read from."""
    parts = [
        _gene(gene),
        _part("48002-0", "Genomic source class", _ORIGIN[origin]),
        _part("48004-6", "DNA change (c.HGVS)", coding(HGVS, coding_change)),
        _part("48005-3", "Amino acid change (p.HGVS)", coding(HGVS, protein)),
        _part("53037-8", "Genetic variation clinical significance", _SIGNIFICANCE[significance]),
    ]
    if fraction is not None:
        share = {
            "code": concept(loinc("81258-6", "Variant allelic frequency")),
            "valueQuantity": quantity(fraction, "1"),
        }
        parts.append(share)
    derived = [chart.reference("MolecularSequence", sequence)] if sequence else []
    _report(chart, gene, when, loinc("LA9633-4", "Present"), parts, derived)


def not_found(chart: Chart, gene: str, when: str) -> None:
    """A gene that was sequenced and reported without a variant."""
    parts = [_gene(gene), _part("48002-0", "Genomic source class", _ORIGIN["somatic"])]
    _report(chart, gene, when, loinc("LA9634-2", "Absent"), parts, [])


def _report(
    chart: Chart, gene: str, when: str, answer: Element, parts: list[Element], derived_from: list[Element]
) -> None:
    chart.put(
        "Observation",
        f"variant-{gene.lower()}",
        status="final",
        category=_CATEGORIES,
        code=_ASSESSMENT,
        subject=chart.subject,
        effectiveDateTime=when,
        valueCodeableConcept=concept(answer),
        component=parts,
        derivedFrom=derived_from,
    )


def _gene(symbol: str) -> Element:
    return _part("48018-6", "Gene studied [ID]", coding(HGNC, _HGNC_IDS[symbol], symbol))


def _part(code: str, display: str, answer: Element) -> Element:
    return {"code": concept(loinc(code, display)), "valueCodeableConcept": concept(answer)}
