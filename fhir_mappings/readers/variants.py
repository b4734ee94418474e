"""Genetic variant Observations (LOINC 69548-6, HL7 Genomics Reporting) -> evidence about genes."""

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

from fhir_mappings.concepts import LOINC, canonical
from fhir_mappings.finding import Issue
from fhir_mappings.gene_rules import EVENTS, RULES, Test
from fhir_mappings.genes import HGNC, Consequence, consequence_of_so, current_symbol, gene_effect, symbol_of_hgnc
from fhir_mappings.readers.gene_evidence import GeneEvidence, of_effect
from fhir_mappings.readers.usable import MARKS, STATUS_RANK, effective, unusable
from fhir_mappings.resources.datatypes import Coding
from fhir_mappings.resources.r4 import Component, Observation

VARIANT = "69548-6"
_HGVS = "http://varnomen.hgvs.org"
_GENE, _SOURCE_CLASS, _PROTEIN, _CODING = "48018-6", "48002-0", "48005-3", "48004-6"
_SIGNIFICANCE, _COPY_NUMBER, _CHANGE_TYPE = "53037-8", "82155-3", "48019-4"

_PRESENT = frozenset({"LA9633-4", "LA6576-8"})  # Present, Positive
_ABSENT = frozenset({"LA9634-2", "LA6577-6"})  # Absent, Negative
_GERMLINE = frozenset({"LA6683-2", "LA26320-4"})  # germline, likely germline
PATHOGENIC = frozenset({"LA6668-3", "LA26332-9"})  # pathogenic, likely pathogenic
NOT_PATHOGENIC = frozenset({"LA6675-8", "LA26334-5", "LA26333-7"})  # benign, likely benign, uncertain

_MTB = "https://www.medizininformatik-initiative.de/fhir/ext/modul-mtb/CodeSystem/"
_FUSION_PARTS = frozenset({"five-prime-gene", "three-prime-gene"})
_HIGH_LEVEL_GAIN = "high-level-gain"
_SEQUENCE_ONTOLOGY = ("http://sequenceontology.org", "http://www.sequenceontology.org")
# Six copies or more are an amplification (ASCO/CAP 2018, HER2 in-situ hybridisation: 6.0 copies a cell); fewer than six
# and more than none are not told apart from a gain or a loss of one copy.
_AMPLIFIED = 6
# A display that is a symbol (KIT) and no full name (KIT proto-oncogene, receptor tyrosine kinase).
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{1,9}(-[A-Z0-9]{1,4})?")
_HGNC_ID = re.compile(r"(HGNC:)?\d{1,6}")
_CONFLICTS_TOLD = 3
_ABSENT_RULE = "reported absent"


class Report(msgspec.Struct, frozen=True):
    """One variant as reported: what is stated of it, for the readers of somatic and of germline variants."""

    source: str
    symbols: tuple[str, ...]  # of any gene
    presence: bool | None
    significance: frozenset[str]
    is_germline: bool
    consequence: Consequence | None
    protein: str
    coding: str
    effective: datetime | None
    rank: int
    flags: tuple[str, ...]

    @property
    def names_a_change(self) -> bool:
        return bool(self.protein or self.coding)

    @property
    def tests(self) -> frozenset[Test]:
        """What was examined: a report of one kind of change says nothing of the others."""
        if self.consequence == "fusion":
            return frozenset({"structural"})
        is_copies = self.consequence == "unknown" or self.consequence in EVENTS
        return frozenset({"copy_number"}) if is_copies else frozenset({"sequence"})


def variant_reports(observations: Iterable[Observation], at: datetime) -> tuple[list[Report], list[Issue]]:
    """All that may be used, and an issue for each that may not or whose gene contradicts itself."""
    reports: list[Report] = []
    issues: list[Issue] = []
    for observation in observations:
        when = effective(observation, at)
        issue = unusable(observation, when, at)
        if issue is not None:
            issues.append(issue)
            continue
        symbols, conflicts = genes_of(observation)
        if conflicts:
            issues.append(Issue("warning", "gene-conflict", conflicts, observation.address))
        if symbols or not conflicts:
            reports.append(_report(observation, symbols, when))
    return reports, issues


def somatic_evidence(reports: Iterable[Report]) -> tuple[list[GeneEvidence], list[Issue]]:
    """Evidence about the catalogue's genes, and an issue for each report that says nothing, or no more than 0."""
    evidence: list[GeneEvidence] = []
    issues: list[Issue] = []
    one_change: list[Report] = []
    for report in reports:
        symbols = [symbol for symbol in report.symbols if symbol in RULES]
        if not symbols:
            issues.append(Issue("information", "gene-unknown", "no gene of the catalogue", report.source))
        elif report.presence is None:
            issues.append(Issue("information", "presence-not-stated", ", ".join(symbols), report.source))
        elif not report.presence and report.names_a_change:
            one_change.append(report)
            text = f"{', '.join(symbols)}: one change is absent, not every change of the gene"
            issues.append(Issue("information", "test-cannot-exclude", text, report.source))
        else:
            for symbol in symbols:
                found, said = _judged(symbol, report)
                evidence.append(found)
                issues += said
    return [*evidence, *_promoters_excluded(one_change)], issues


def without_silence(evidence: Iterable[GeneEvidence], *, all_reports: bool) -> list[GeneEvidence]:
    """What may be said of genes where variants are missing: a variant that decides nothing does not make its gene 0.

    That it is reported absent stands where no other report (`all_reports`) can contradict it.
    """
    return [one for one in evidence if one.says != "negative" or (all_reports and one.rule == _ABSENT_RULE)]


def _promoters_excluded(absent: Iterable[Report]) -> list[GeneEvidence]:
    """A promoter is unchanged once every position that its rule lists is reported so (TERT -124 and -146)."""
    by_symbol: dict[str, list[Report]] = {}
    for report in absent:
        for symbol in report.symbols:
            if symbol in RULES and RULES[symbol].coding:
                by_symbol.setdefault(symbol, []).append(report)
    found: list[GeneEvidence] = []
    for symbol, reports in by_symbol.items():
        listed = {change for change in RULES[symbol].coding if ">" in change}
        if listed <= {report.coding.rpartition(":")[2] for report in reports}:
            found += [
                msgspec.structs.replace(_evidence(symbol, report, _ABSENT_RULE), tests=frozenset({"promoter"}))
                for report in reports
            ]
    return found


def _judged(symbol: str, report: Report) -> tuple[GeneEvidence, list[Issue]]:
    if not report.presence:
        return _evidence(symbol, report, _ABSENT_RULE), []
    if report.significance & NOT_PATHOGENIC:
        found = _evidence(symbol, report, "stated as not pathogenic")
    else:
        effect = gene_effect(symbol, report.protein or None, report.consequence, report.coding or None)
        found = msgspec.structs.replace(_evidence(symbol, report, "gene rule"), says=of_effect(effect))
    if found.says == "positive":
        return found, []
    if found.says == "negative":
        return found, [Issue("information", "variant-outside-rule", symbol, report.source)]
    return found, [Issue("warning", "variant-unclassified", symbol, report.source)]


def _evidence(symbol: str, report: Report, rule: str) -> GeneEvidence:
    return GeneEvidence(
        symbol, "negative", report.source, report.effective, report.rank, report.tests, rule, report.flags
    )


def _report(observation: Observation, symbols: list[str], when: datetime | None) -> Report:
    answer = observation.valueCodeableConcept
    stated = {coding.code for coding in answer.coding} if answer and observation.dataAbsentReason is None else set()
    return Report(
        source=observation.address,
        symbols=tuple(symbols),
        presence=False if stated & _ABSENT else True if stated & _PRESENT else None,
        significance=frozenset(_answers(observation, _SIGNIFICANCE)),
        is_germline=bool(_GERMLINE & _answers(observation, _SOURCE_CLASS)),
        consequence=_event(observation),
        protein=_text(observation, _PROTEIN),
        coding=_text(observation, _CODING),
        effective=when,
        rank=STATUS_RANK[observation.status],
        flags=MARKS.get(observation.status, ()),
    )


def genes_of(observation: Observation) -> tuple[list[str], str]:
    """Symbols of the reported genes; and what contradicts itself (id against name)."""
    found: dict[str, None] = {}  # as a set that keeps its order
    conflicts: dict[str, None] = {}
    for coding in _codings(observation, _GENE):
        if coding.system != HGNC:
            continue
        named = current_symbol(coding.display)
        symbol = symbol_of_hgnc().get(coding.code)
        if symbol is None and named not in RULES:
            symbol = named if _SYMBOL.fullmatch(named) else None  # a gene that the catalogue does not have
        elif symbol is None or (symbol != named and (named in RULES or _SYMBOL.fullmatch(named))):
            shown = coding.code if _HGNC_ID.fullmatch(coding.code) else "the id"
            conflicts[f"{shown} is {symbol or 'another gene'}, not {named}"] = None
            continue
        if symbol is not None:
            found[symbol] = None
    return list(found), "; ".join([*conflicts][:_CONFLICTS_TOLD])


def _event(observation: Observation) -> Consequence | None:
    """What the report says that happened: fusion, amplification, loss of both copies, or a kind of small change.

    "unknown" for a number of copies that decides nothing, None where only the change itself is named.
    """
    stated = [said for part in observation.component if (said := _stated_event(part)) is not None]
    known = [said for said in stated if said != "unknown"]
    if known:
        return next((said for said in known if said in EVENTS), known[0])
    return "fusion" if not stated and _joins_two_genes(observation) else next(iter(stated), None)


def _stated_event(part: Component) -> Consequence | None:
    if any(coding.system.startswith(_MTB) and coding.code in _FUSION_PARTS for coding in part.code.coding):
        return "fusion"
    for coding in part.valueCodeableConcept.coding if part.valueCodeableConcept else ():
        if coding.code == _HIGH_LEVEL_GAIN:
            return "amplification"
        if coding.system.startswith(_SEQUENCE_ONTOLOGY) and (said := consequence_of_so(coding.code)) != "unknown":
            return said
    if not has_code(part, _COPY_NUMBER):
        return None
    copies = part.valueQuantity.value if part.valueQuantity and part.dataAbsentReason is None else None
    if copies is None:
        return "unknown"
    return "deletion" if copies == 0 else "amplification" if copies >= _AMPLIFIED else "unknown"


def _joins_two_genes(observation: Observation) -> bool:
    """Two genes in one report that names no change and no kind of change: their fusion (Genomics Reporting)."""
    genes = {coding.code for coding in _codings(observation, _GENE) if coding.system == HGNC}
    told = (_PROTEIN, _CODING, _CHANGE_TYPE)
    return len(genes) == 2 and not any(has_code(part, code) for part in observation.component for code in told)


def has_code(part: Component, code: str) -> bool:
    return any(canonical(coding.system) == LOINC and coding.code == code for coding in part.code.coding)


def _codings(observation: Observation, code: str) -> list[Coding]:
    parts = [part for part in observation.component if has_code(part, code) and part.valueCodeableConcept]
    return [coding for part in parts if part.valueCodeableConcept for coding in part.valueCodeableConcept.coding]


def _answers(observation: Observation, code: str) -> set[str]:
    return {coding.code for coding in _codings(observation, code)}


def _text(observation: Observation, code: str) -> str:
    """An HGVS expression: the code of its coding, else the text."""
    for part in observation.component:
        if has_code(part, code):
            concept = part.valueCodeableConcept
            if concept is not None:
                own = sorted(c.code for c in concept.coding if c.system == _HGVS and c.code)
                return next(iter((*own, *sorted(c.code for c in concept.coding if c.code))), concept.text)
            return part.valueString or ""
    return ""
