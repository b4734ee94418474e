"""The gene rule: the same answer for a cohort row and for a FHIR variant."""

from pathlib import Path

import pytest

from fhir_mappings.gene_rules import read_rules
from fhir_mappings.genes import (
    RULES,
    Consequence,
    Effect,
    codon_of_coding,
    consequence_of_maf,
    consequence_of_so,
    current_symbol,
    gene_effect,
    key_of,
    symbol_of_hgnc,
)
from models.features import FeatureSchema

PATHOGENIC, OUTSIDE, UNKNOWN = Effect.PATHOGENIC, Effect.OUTSIDE, Effect.UNKNOWN
FEATURES = Path(__file__).parents[3] / "fhir_mappings/catalogue/features.csv"


@pytest.mark.parametrize(
    ("symbol", "protein", "consequence", "expected"),
    [
        ("KRAS", "p.G12D", "missense", PATHOGENIC),
        ("KRAS", "p.G12D", None, PATHOGENIC),
        ("KRAS", "p.Gly12Asp", None, PATHOGENIC),
        ("KRAS", "p.L19F", "missense", OUTSIDE),
        ("KRAS", "p.G12*", "truncating", OUTSIDE),
        ("KRAS", "p.G12G", None, OUTSIDE),
        ("BRAF", "p.V600E", "missense", PATHOGENIC),
        ("BRAF", "p.K601fs", None, OUTSIDE),
        ("EGFR", "p.L858R", "missense", PATHOGENIC),
        ("EGFR", "p.L858M", "missense", OUTSIDE),
        ("EGFR", "p.ELREA746del", "inframe_deletion", PATHOGENIC),
        ("EGFR", "p.Glu746_Ala750del", None, PATHOGENIC),
        ("EGFR", "p.L747_P753delinsS", None, PATHOGENIC),
        ("EGFR", "p.770_771insGL", "inframe_insertion", PATHOGENIC),
        ("EGFR", "p.709_710ET>D", "inframe_deletion", OUTSIDE),
        ("EGFR", "p.G719A", None, PATHOGENIC),
        ("ERBB2", "p.A775_G776insYVMA", None, PATHOGENIC),
        ("ERBB2", "p.S310F", None, PATHOGENIC),
        ("TP53", "p.R175H", "missense", PATHOGENIC),
        ("TP53", "p.R333H", "missense", OUTSIDE),
        ("TP53", "p.R342*", "truncating", PATHOGENIC),
        ("TP53", "", "splice", PATHOGENIC),
        ("RB1", "p.Q702*", None, PATHOGENIC),
        ("RB1", "p.R661W", "missense", OUTSIDE),
        ("RB1", None, "missense", OUTSIDE),
        ("PTEN", "p.M1?", "start_loss", PATHOGENIC),
        ("BRCA2", "p.S1982Rfs*22", None, PATHOGENIC),
        ("ARID1A", "p.740_743SMNQ>*", "inframe_deletion", PATHOGENIC),
        ("FBXW7", "p.R465C", None, PATHOGENIC),
        ("CTNNB1", "p.S45del", None, PATHOGENIC),
        ("MET", "p.X1010_splice", None, PATHOGENIC),
        ("MET", "p.X656_splice", "splice", OUTSIDE),
        ("MET", "", "splice", UNKNOWN),
        ("KIT", "p.P627L", "splice", PATHOGENIC),
        ("KIT", "p.E490*", "truncating", OUTSIDE),
        ("H3-3A", "p.K28M", None, PATHOGENIC),
        ("H3-3A", "p.K27M", None, PATHOGENIC),
        ("H3F3A", "p.G35R", None, PATHOGENIC),
        ("H3-3A", "p.A29T", None, OUTSIDE),
        ("H3-3A", "p.S28F", None, OUTSIDE),
        ("ALK", None, "fusion", PATHOGENIC),
        ("ALK", "p.F1174L", "missense", OUTSIDE),
        ("NTRK3", None, "fusion", PATHOGENIC),
        ("RET", "p.M918T", "missense", PATHOGENIC),
        ("RET", None, "fusion", PATHOGENIC),
        ("MYC", None, "amplification", PATHOGENIC),
        ("EGFR", None, "amplification", OUTSIDE),
        ("CDKN2A", None, "deletion", PATHOGENIC),
        ("CDKN2A", "p.R80*", None, PATHOGENIC),
        ("FGFR2", None, "fusion", PATHOGENIC),
        ("AR", "p.T878A", None, PATHOGENIC),
    ],
)
def test_the_rule(symbol: str, protein: str | None, consequence: Consequence | None, expected: Effect) -> None:
    """Listed alterations are 1, others leave a tested gene at 0, what cannot be told stays open."""
    assert gene_effect(symbol, protein, consequence) is expected


@pytest.mark.parametrize(
    ("symbol", "coding", "consequence", "expected"),
    [
        ("TERT", "c.-124C>T", "promoter", PATHOGENIC),
        ("TERT", "NM_198253.2:c.-146C>T", None, PATHOGENIC),
        ("TERT", "c.-57A>C", "promoter", OUTSIDE),
        ("TERT", None, "promoter", UNKNOWN),
        ("TERT", None, "missense", OUTSIDE),
        ("MET", "c.3028+1G>A", "splice", PATHOGENIC),
        ("MET", "c.1966-1G>T", "splice", OUTSIDE),
        ("KRAS", "c.35G>T", None, PATHOGENIC),
        ("KRAS", "c.100G>T", "missense", OUTSIDE),
        ("KRAS", "c.100G>T", None, UNKNOWN),
        ("KRAS", None, None, UNKNOWN),
        ("KRAS", None, "missense", UNKNOWN),
        ("EGFR", "c.2573T>G", "missense", UNKNOWN),
        ("TP53", None, "unknown", UNKNOWN),
    ],
)
def test_without_a_protein_change(
    symbol: str, coding: str | None, consequence: Consequence | None, expected: Effect
) -> None:
    """A coding change gives the codon or the promoter position; without either the effect is not guessed."""
    assert gene_effect(symbol, None, consequence, coding) is expected


def test_contradicting_statements_are_not_used() -> None:
    """A frameshift whose protein change is a substitution decides nothing."""
    assert gene_effect("RNF43", "p.Q781M", "truncating") is UNKNOWN
    assert gene_effect("KRAS", "p.G12D", "synonymous") is UNKNOWN


def test_a_gene_without_a_rule_is_named() -> None:
    """A symbol that the table lacks raises, it is not read as wild type."""
    assert key_of("TTN") is None
    with pytest.raises(KeyError, match="TTN"):
        gene_effect("TTN", "p.V1A")


def test_codon_of_a_coding_change() -> None:
    """An intronic change borders on the codon its number lies in."""
    assert codon_of_coding("NM_000245.3:c.3028+1G>A") == 1010
    assert codon_of_coding("c.34G>T") == 12
    assert codon_of_coding("c.-124C>T") is None
    assert codon_of_coding("c.*151-1G>A") is None
    assert codon_of_coding(None) is None


def test_consequences_of_both_doors_meet() -> None:
    """A MAF class and a Sequence Ontology name of the same change are the same consequence."""
    assert consequence_of_maf("Frame_Shift_Del") == consequence_of_so("frameshift_variant") == "truncating"
    assert consequence_of_maf("Splice_Site") == consequence_of_so("splice_donor_variant") == "splice"
    assert consequence_of_maf("Intron") == consequence_of_so("intron_variant") == "unknown"


def test_every_gene_of_the_catalogue_has_a_rule() -> None:
    """Each tested-gene parameter that names a gene is reached by at least one rule, and no rule leads nowhere."""
    schema = FeatureSchema.read(FEATURES)
    named = {f.key for f in schema.features if f.modality == "genetics" and f.missing_rule == "tested_gene"}
    named -= {"gene_msi_high", "gene_mgmt_methylated", "gene_1p19q_codeletion", "gene_germline_pathogenic"}
    assert {rule.key for rule in RULES.values()} == named


def test_codon_lists_equal_the_catalogue_definitions() -> None:
    """Every codon written in a definition is a codon of the rule, and the other way round."""
    schema = FeatureSchema.read(FEATURES)
    for symbol in ("KRAS", "NRAS", "BRAF", "PIK3CA", "POLE", "IDH2", "FGFR3", "SF3B1", "ESR1", "SPOP", "GNAQ", "AR"):
        rule = RULES[symbol]
        text = schema[rule.key].definition.split("codon", 1)[1].split("(", 1)[0]
        written = {int(word) for word in text.replace(",", " ").split() if word.isdigit()}
        assert {low for low, _ in rule.codons} == written, symbol


def test_hgnc_ids_lead_to_symbols_with_a_rule() -> None:
    """Every gene id of the concept map is a symbol that the rules know."""
    symbols = symbol_of_hgnc()
    assert symbols["HGNC:6407"] == "KRAS"
    assert {current_symbol(symbol) for symbol in symbols.values()} == set(RULES)
    assert {key_of(symbol) for symbol in ("NTRK1", "NTRK2", "NTRK3")} == {"gene_ntrk"}


def test_a_rule_with_an_unknown_test_is_refused(tmp_path: Path) -> None:
    """A misspelt word in the table stops the start, naming the gene."""
    header = "symbol,key,codons,changes,truncating,inframe_deletion,inframe_insertion,splice,coding,events,zero_needs"
    (tmp_path / "rules.csv").write_text(f"{header}\nKRAS,gene_kras,12,,,,,,,,sequencing\n")
    with pytest.raises(ValueError, match="KRAS"):
        read_rules(tmp_path / "rules.csv")
