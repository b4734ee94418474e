"""Genetic variant Observations (LOINC 69548-6, HL7 Genomics Reporting) -> evidence about genes."""

from collections.abc import Iterable
from datetime import datetime

from fhir_mappings.concepts import LOINC
from fhir_mappings.finding import Finding, Issue
from fhir_mappings.gene_rules import RULES, Test
from fhir_mappings.genes import HGNC, Consequence, current_symbol, gene_effect, symbol_of_hgnc
from fhir_mappings.readers.gene_evidence import GeneEvidence, of_effect
from fhir_mappings.readers.observations import STATUS_RANK, effective, unusable
from fhir_mappings.resources.datatypes import Coding
from fhir_mappings.resources.r4 import Component, Observation

VARIANT = (LOINC, "69548-6")
_GENE, _SOURCE_CLASS, _PROTEIN, _CODING = "48018-6", "48002-0", "48005-3", "48004-6"
_SIGNIFICANCE, _COPY_NUMBER = "53037-8", "82155-3"

_PRESENT = frozenset({"LA9633-4", "LA6576-8"})  # Present, Positive
_ABSENT = frozenset({"LA9634-2", "LA6577-6"})  # Absent, Negative
_GERMLINE = "LA6683-2"
_PATHOGENIC = frozenset({"LA6668-3", "LA26332-9"})  # pathogenic, likely pathogenic
_NOT_PATHOGENIC = frozenset({"LA6675-8", "LA26334-5", "LA26333-7"})  # benign, likely benign, uncertain

_MTB = "https://www.medizininformatik-initiative.de/fhir/ext/modul-mtb/CodeSystem/"
_FUSION_PARTS = frozenset({"five-prime-gene", "three-prime-gene"})
_HIGH_LEVEL_GAIN = "high-level-gain"


def is_variant(observation: Observation) -> bool:
    return any((coding.system, coding.code) == VARIANT for coding in observation.code.coding)


def read_variants(
    observations: Iterable[Observation], at: datetime
) -> tuple[list[GeneEvidence], list[Finding], list[Issue]]:
    """Evidence about the catalogue's genes, pathogenic germline findings, and an issue for each report not used."""
    evidence: list[GeneEvidence] = []
    germline: list[Finding] = []
    issues: list[Issue] = []
    for observation in observations:
        when = effective(observation)
        issue = unusable(observation, when, at)
        if issue is not None:
            issues.append(issue)
        elif _GERMLINE in _answers(observation, _SOURCE_CLASS):
            germline += _germline(observation, when)
        else:
            found, said = _somatic(observation, when)
            evidence += found
            issues += said
    return evidence, germline, issues


def _somatic(observation: Observation, when: datetime | None) -> tuple[list[GeneEvidence], list[Issue]]:
    source = observation.address
    symbols, conflicts = _genes(observation)
    if not symbols:
        code = "gene-conflict" if conflicts else "gene-unknown"
        return [], [
            Issue("warning" if conflicts else "information", code, conflicts or "no gene of the catalogue", source)
        ]
    presence = {c.code for c in observation.valueCodeableConcept.coding} if observation.valueCodeableConcept else set()
    if not presence & (_PRESENT | _ABSENT):
        return [], [Issue("information", "presence-not-stated", ", ".join(symbols), source)]
    rank = STATUS_RANK[observation.status]
    if presence & _ABSENT:
        return [GeneEvidence(s, "negative", source, when, rank, rule="reported absent") for s in symbols], []
    found: list[GeneEvidence] = []
    issues: list[Issue] = []
    for symbol in symbols:
        statement = _present(symbol, observation, when, rank)
        found.append(statement)
        if statement.says != "positive":
            code = "variant-outside-rule" if statement.says == "negative" else "variant-unclassified"
            severity = "information" if statement.says == "negative" else "warning"
            issues.append(Issue(severity, code, symbol, source))  # type: ignore[arg-type]
    return found, issues


def _present(symbol: str, observation: Observation, when: datetime | None, rank: int) -> GeneEvidence:
    if _answers(observation, _SIGNIFICANCE) & _NOT_PATHOGENIC:
        return GeneEvidence(symbol, "negative", observation.address, when, rank, rule="stated as not pathogenic")
    consequence = _event(observation)
    protein, coding = _text(observation, _PROTEIN), _text(observation, _CODING)
    effect = gene_effect(symbol, protein or None, consequence, coding or None)
    tests: frozenset[Test] = frozenset(
        {"structural" if consequence == "fusion" else "copy_number"} if consequence else {"sequence"}
    )
    return GeneEvidence(symbol, of_effect(effect), observation.address, when, rank, tests, "gene rule")


def _genes(observation: Observation) -> tuple[list[str], str]:
    """Symbols of the reported genes that the catalogue has; and what contradicts itself (id against name)."""
    found: list[str] = []
    conflicts: list[str] = []
    for coding in _codings(observation, _GENE):
        symbol = symbol_of_hgnc().get(coding.code) if coding.system == HGNC else None
        named = current_symbol(coding.display) if coding.display else ""
        if symbol is None:
            continue
        if named and named != symbol and named in RULES:
            conflicts.append(f"{coding.code} is {symbol}, not {named}")
        elif symbol in RULES and symbol not in found:
            found.append(symbol)
    return found, "; ".join(conflicts)


def _event(observation: Observation) -> Consequence | None:
    """Fusion, amplification or loss of both copies, where the report says so; None for a sequence variant."""
    for part in observation.component:
        codes = {c.code for c in part.code.coding if c.system.startswith(_MTB)}
        if codes & _FUSION_PARTS:
            return "fusion"
        if part.valueCodeableConcept and any(c.code == _HIGH_LEVEL_GAIN for c in part.valueCodeableConcept.coding):
            return "amplification"
        if _is(part, _COPY_NUMBER) and part.valueQuantity and part.valueQuantity.value == 0:
            return "deletion"
    return "unknown" if any(_is(part, _COPY_NUMBER) for part in observation.component) else None


def _germline(observation: Observation, when: datetime | None) -> list[Finding]:
    stated = _answers(observation, _SIGNIFICANCE)
    if not stated & (_PATHOGENIC | _NOT_PATHOGENIC):
        return []
    value = 1.0 if stated & _PATHOGENIC else 0.0
    rule = "stated significance of a germline variant"
    return [Finding("gene_germline_pathogenic", value, "1", when, (observation.address,), rule)]


def _is(part: Component, code: str) -> bool:
    return any(coding.system == LOINC and coding.code == code for coding in part.code.coding)


def _codings(observation: Observation, code: str) -> list[Coding]:
    parts = [part for part in observation.component if _is(part, code) and part.valueCodeableConcept]
    return [coding for part in parts if part.valueCodeableConcept for coding in part.valueCodeableConcept.coding]


def _answers(observation: Observation, code: str) -> set[str]:
    return {coding.code for coding in _codings(observation, code)}


def _text(observation: Observation, code: str) -> str:
    """An HGVS expression: the code of its coding, else the text."""
    for part in observation.component:
        if _is(part, code):
            concept = part.valueCodeableConcept
            if concept is not None:
                return next((c.code for c in concept.coding if c.code), concept.text)
            return part.valueString or ""
    return ""
