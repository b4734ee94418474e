"""What "gene = 1" means: one rule for the variants of cohort tables and of FHIR records.

Any variant outside the rule leaves a tested gene at 0; a variant whose effect cannot be told leaves it missing. Which
alterations count is data (`gene_rules.py`), which notations are understood is `protein_change.py`.
"""

import csv
import re
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Literal

from fhir_mappings.gene_rules import CATALOGUE, EVENTS, Intervals, Rule
from fhir_mappings.gene_rules import RULES as RULES  # noqa: PLC0414 - callers find the rules beside the function
from fhir_mappings.protein_change import ProteinChange, parse_protein_change

Consequence = Literal[
    "missense", "truncating", "splice", "inframe_deletion", "inframe_insertion", "start_loss", "stop_loss",
    "synonymous", "promoter", "amplification", "fusion", "deletion", "unknown",
]  # fmt: skip

HGNC = "http://www.genenames.org/geneId"
FORMER_SYMBOLS: Mapping[str, str] = {"H3F3A": "H3-3A", "HER2": "ERBB2"}

LOSS_OF_FUNCTION = frozenset({"truncating", "splice", "start_loss", "stop_loss"})
CODON_CHANGES = frozenset({"missense", "inframe_deletion", "inframe_insertion"})

MAF_CONSEQUENCES: Mapping[str, Consequence] = {
    "Missense_Mutation": "missense",
    "Nonsense_Mutation": "truncating",
    "Frame_Shift_Del": "truncating",
    "Frame_Shift_Ins": "truncating",
    "Splice_Site": "splice",
    "In_Frame_Del": "inframe_deletion",
    "In_Frame_Ins": "inframe_insertion",
    "Translation_Start_Site": "start_loss",
    "Nonstop_Mutation": "stop_loss",
    "Silent": "synonymous",
    "5'Flank": "promoter",
}

# Names of the Sequence Ontology, which FHIR genomics reports (and VEP) use for the molecular consequence.
SO_CONSEQUENCES: Mapping[str, Consequence] = {
    "missense_variant": "missense",
    "stop_gained": "truncating",
    "frameshift_variant": "truncating",
    "splice_acceptor_variant": "splice",
    "splice_donor_variant": "splice",
    "inframe_deletion": "inframe_deletion",
    "inframe_insertion": "inframe_insertion",
    "start_lost": "start_loss",
    "stop_lost": "stop_loss",
    "synonymous_variant": "synonymous",
    "upstream_gene_variant": "promoter",
    "transcript_amplification": "amplification",
    "gene_fusion": "fusion",
    "bidirectional_gene_fusion": "fusion",
    "transcript_ablation": "deletion",
}
# The same by accession, as Genomics Reporting codes them (48019-4, molecular consequence).
SO_NAMES: Mapping[str, str] = {
    "SO:0001583": "missense_variant",
    "SO:0001587": "stop_gained",
    "SO:0001589": "frameshift_variant",
    "SO:0001574": "splice_acceptor_variant",
    "SO:0001575": "splice_donor_variant",
    "SO:0001822": "inframe_deletion",
    "SO:0001821": "inframe_insertion",
    "SO:0002012": "start_lost",
    "SO:0001578": "stop_lost",
    "SO:0001819": "synonymous_variant",
    "SO:0001889": "transcript_amplification",
    "SO:0001565": "gene_fusion",
    "SO:0002086": "bidirectional_gene_fusion",
    "SO:0001893": "transcript_ablation",
}


class Effect(Enum):
    """What one variant says of its gene."""

    PATHOGENIC = 1
    OUTSIDE = 0  # leaves a tested gene at 0
    UNKNOWN = -1  # cannot be told: leaves the gene missing


def gene_effect(
    symbol: str, protein_change: str | None, consequence: Consequence | None = None, coding_change: str | None = None
) -> Effect:
    """What a variant says of its gene, by the rules and the catalogue's definitions.

    `protein_change` in any notation of `protein_change.py`; `coding_change` as HGVS (c.35G>T, c.3028+1G>A, c.-124C>T)
    gives the codon where the protein change is missing. Raises KeyError for a gene without a rule.
    """
    rule = RULES[current_symbol(symbol)]
    if consequence in EVENTS:
        return _verdict(consequence in rule.events)
    if rule.coding:
        return _promoter_effect(rule, consequence, protein_change, coding_change)
    stated = None if consequence == "unknown" else consequence
    change = parse_protein_change(protein_change)
    if change is None:
        return _effect_by_coding_change(rule, stated, codon_of_coding(coding_change))
    kind = _agreed_kind(change, stated)
    return Effect.UNKNOWN if kind is None else _effect(rule, kind, change)


def current_symbol(symbol: str) -> str:
    """The approved symbol of a former one; others unchanged."""
    plain = symbol.strip()
    return FORMER_SYMBOLS.get(plain, plain)


def consequence_of_maf(variant_classification: str) -> Consequence:
    """The consequence of a MAF Variant_Classification; "unknown" for the non-coding rest."""
    return MAF_CONSEQUENCES.get(variant_classification, "unknown")


def consequence_of_so(name: str) -> Consequence:
    """The consequence of a Sequence Ontology name or accession; "unknown" for those that decide nothing here."""
    return SO_CONSEQUENCES.get(SO_NAMES.get(name, name), "unknown")


def key_of(symbol: str) -> str | None:
    """The catalogue key of a gene symbol (NTRK1, NTRK2 and NTRK3 share one); None where there is none."""
    rule = RULES.get(current_symbol(symbol))
    return rule.key if rule else None


@cache
def symbol_of_hgnc() -> Mapping[str, str]:
    """HGNC id ("HGNC:6407") -> symbol, from the concept map."""
    with (CATALOGUE / "concept_map.csv").open(newline="", encoding="utf-8") as file:
        return {row["code"]: row["display"] for row in csv.DictReader(file) if row["system"] == HGNC}


def codon_of_coding(coding_change: str | None) -> int | None:
    """The codon a coding change lies in or borders on: c.3028+1G>A is 1010; None without a position in the gene."""
    found = re.match(r"(?:[\w.]+(?:\([^)]*\))?:)?c\.(\d{1,9})(?!\d)", coding_change or "")
    return (int(found[1]) + 2) // 3 if found else None


def _agreed_kind(change: ProteinChange, stated: str | None) -> str | None:
    """The kind of change: what is stated, unless the protein change is more exact; None where they contradict."""
    if stated in (None, "splice"):
        return stated or change.kind
    if change.kind in ("truncating", "splice"):  # callers print in-frame changes that hold a stop as In_Frame
        return change.kind
    same_family = any({stated, change.kind} <= family for family in (CODON_CHANGES, LOSS_OF_FUNCTION))
    return change.kind if same_family or stated == change.kind else None


def _effect(rule: Rule, kind: str, change: ProteinChange) -> Effect:
    if kind in LOSS_OF_FUNCTION:
        if rule.truncating:
            return Effect.PATHOGENIC
        if kind == "splice" and rule.splice:
            return _verdict(_in(change.first, rule.splice))
        # A substitution at the border of an exon is called a splice site too: its codon still counts.
        return _effect(rule, change.kind, change) if change.kind in CODON_CHANGES else Effect.OUTSIDE
    if kind == "inframe_insertion" and rule.inframe_insertion:
        return _verdict(_in(change.first, rule.inframe_insertion))
    if kind == "inframe_deletion" and rule.inframe_deletion:
        return _verdict(_in(change.first, rule.inframe_deletion))
    return _verdict(kind in CODON_CHANGES and _listed(rule, change))


def _listed(rule: Rule, change: ProteinChange) -> bool:
    required = rule.residues.get(change.first)
    fits = required is None or change.residue in ("", required)
    exact = f"{change.residue}{change.first}{change.alternative}"
    return (_in(change.first, rule.codons) and fits) or exact in rule.changes


def _effect_by_coding_change(rule: Rule, stated: str | None, codon: int | None) -> Effect:
    """Without a protein change: loss of function needs none, a codon may be known from the coding change."""
    if stated in LOSS_OF_FUNCTION:
        if rule.truncating or not (stated == "splice" and rule.splice):
            return _verdict(rule.truncating)
        return Effect.UNKNOWN if codon is None else _verdict(_in(codon, rule.splice))
    if stated == "synonymous" or (stated in CODON_CHANGES and not rule.by_codon):
        return Effect.OUTSIDE
    if codon is not None and _in(codon, rule.codons):
        return Effect.PATHOGENIC
    return Effect.OUTSIDE if codon is not None and stated == "missense" and not rule.changes else Effect.UNKNOWN


def _promoter_effect(
    rule: Rule, consequence: Consequence | None, protein_change: str | None, coding_change: str | None
) -> Effect:
    """A rule on positions before the gene: coding variants are outside, an unnamed promoter variant is unknown."""
    if coding_change:
        return _verdict(coding_change.split(":")[-1].replace(" ", "") in rule.coding)
    coding = parse_protein_change(protein_change) is not None
    return Effect.OUTSIDE if coding or consequence not in (None, "unknown", "promoter") else Effect.UNKNOWN


def _in(codon: int, intervals: Intervals) -> bool:
    return any(low <= codon <= high for low, high in intervals)


def _verdict(listed: bool) -> Effect:
    return Effect.PATHOGENIC if listed else Effect.OUTSIDE
