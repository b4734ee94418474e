"""Genes of MSK-MET: who was tested for what, and which rearrangement is a fusion."""

from pathlib import Path

import pytest

from fhir_mappings.cohorts.msk_genes import BY_POINT_MUTATION, BY_REARRANGEMENT, fusion_effect, tert_coding_change
from fhir_mappings.cohorts.msk_met import build_msk_met
from fhir_mappings.cohorts.source_tables import Row
from fhir_mappings.genes import RULES, Effect
from tests.training.cohorts.source_files import MSK, SCHEMA, Rows, known, write_msk_met

SAMPLE = f"{MSK}-T01-IM3"


def genes(
    folder: Path, panel: tuple[str, ...] = (), rearrangements: Rows = (), variants: Rows = ()
) -> dict[str, float]:
    """The genes of the only patient."""
    named = [{"Sample_Id": SAMPLE, **row} for row in rearrangements]
    called = [{"patient_id": SAMPLE, "Variant_Classification": "Missense_Mutation", **row} for row in variants]
    found = known(build_msk_met(write_msk_met(folder, [{}], (), panel, named, called), SCHEMA))
    return {key: value for key, value in found.items() if key.startswith("gene_")}


def test_absence_from_the_mutation_file_is_untested(tmp_path: Path) -> None:
    """The panel answers rearrangements only; nobody without a panel is wild type."""
    assert genes(tmp_path) == {}
    assert genes(tmp_path, (SAMPLE,)) == dict.fromkeys(("gene_alk", "gene_ros1", "gene_ntrk", "gene_fgfr2"), 0)


def test_point_mutations_answer_only_genes_that_they_can_clear(tmp_path: Path) -> None:
    """A truncated suppressor, EGFR, MET and KIT are not read: the file could never say 0."""
    variants = [
        {"Hugo_Symbol": "KRAS", "HGVSp_Short": "p.G12D"},
        {"Hugo_Symbol": "BRAF", "HGVSp_Short": "p.G466V"},
        {"Hugo_Symbol": "H3F3A", "HGVSp_Short": "p.K27M"},
        {"Hugo_Symbol": "EGFR", "HGVSp_Short": "p.L858R"},
        {"Hugo_Symbol": "TP53", "HGVSp_Short": "p.R175H"},
    ]
    found = genes(tmp_path, variants=variants)
    assert (found["gene_kras"], found["gene_braf"], found["gene_nras"], found["gene_h3_3a"]) == (1, 0, 0, 1)
    assert not found.keys() & {"gene_egfr", "gene_tp53", "gene_met", "gene_kit", "gene_alk", "gene_ret"}


def test_the_lists_follow_the_gene_rule() -> None:
    """By point mutation: no truncation, no in-frame change, no copy number; by rearrangement: that alone."""
    for symbol in BY_POINT_MUTATION:
        rule = RULES[symbol]
        assert (rule.truncating, rule.inframe_deletion, rule.inframe_insertion, rule.splice) == (False, (), (), ()), (
            symbol
        )
        assert set(rule.zero_needs) <= {"sequence", "promoter"}, symbol
    assert all(RULES[symbol].zero_needs == ("structural",) for symbol in BY_REARRANGEMENT)


def test_ret_needs_both_examinations(tmp_path: Path) -> None:
    """0 with mutations and panel, 1 by either of the two."""
    other = {"Hugo_Symbol": "KRAS", "HGVSp_Short": "p.G12D"}
    fusion = {"Site1_Hugo_Symbol": "KIF5B", "Site2_Hugo_Symbol": "RET", "Event_Info": "Protein Fusion: {KIF5B:RET}"}
    assert genes(tmp_path, (SAMPLE,), variants=[other])["gene_ret"] == 0
    assert genes(tmp_path, (SAMPLE,), [fusion], [other])["gene_ret"] == 1
    assert genes(tmp_path, (SAMPLE,), variants=[{"Hugo_Symbol": "RET", "HGVSp_Short": "p.M918T"}])["gene_ret"] == 1
    assert "gene_ret" not in genes(tmp_path, (SAMPLE,), [fusion])


def test_the_sample_of_time_zero_decides(tmp_path: Path) -> None:
    """A second sample of the patient, perhaps later, is not read where the first one is there."""
    variants = [
        {"Hugo_Symbol": "NRAS", "HGVSp_Short": "p.Q61K"},
        {"Hugo_Symbol": "ESR1", "HGVSp_Short": "p.D538G", "patient_id": f"{MSK}-T02-IM5"},
    ]
    assert genes(tmp_path, (SAMPLE,), variants=variants)["gene_esr1"] == 0
    assert genes(tmp_path, ("P-0000009-T01-IM3",), variants=variants)["gene_esr1"] == 1


@pytest.mark.parametrize(
    ("first", "second", "event", "effect"),
    [
        ("EML4", "ALK", "Protein Fusion: in frame {EML4:ALK}", Effect.PATHOGENIC),
        ("ALK", "EML4", "Protein fusion: mid-exon (EML4-ALK)", Effect.PATHOGENIC),
        ("ALK", "EML4", "ALK-EML4 fusion - Archer", Effect.PATHOGENIC),
        ("ALK", "EML4", "Protein fusion: out of frame (ALK-EML4)", Effect.UNKNOWN),
        ("CLIP1", "ALK", "Antisense Fusion", Effect.UNKNOWN),
        ("DIRC3", "ALK", "DIRC3-intergenic Fusion", Effect.UNKNOWN),
        ("ALK", "ALK", "Deletion within transcript : mid-exon", Effect.OUTSIDE),
        ("ALK", "CLIP1", "Transcript of ALK is inverted", Effect.OUTSIDE),
    ],
)
def test_fusions(first: str, second: str, event: str, effect: Effect) -> None:
    """A fusion that names the gene counts; one that may not keep the kinase is missing; one inside the gene is none."""
    cells = {"Site1_Hugo_Symbol": first, "Site2_Hugo_Symbol": second, "Event_Info": event}
    assert fusion_effect(Row(cells, "data_sv.txt.gz", 2), "ALK") is effect


def test_a_fusion_of_unknown_frame_leaves_the_gene_missing(tmp_path: Path) -> None:
    """Neither 0 nor 1, and the other genes keep their 0; NTRK2 speaks for the shared parameter."""
    unclear = {
        "Site1_Hugo_Symbol": "ROS1",
        "Site2_Hugo_Symbol": "CD74",
        "Event_Info": "out of frame fusion (ROS1-CD74)",
    }
    fused = {"Site1_Hugo_Symbol": "NTRK2", "Site2_Hugo_Symbol": "TRIM24", "Event_Info": "TRIM24-NTRK2 Fusion"}
    assert genes(tmp_path, (SAMPLE,), [unclear, fused]) == {"gene_alk": 0, "gene_ntrk": 1, "gene_fgfr2": 0}


@pytest.mark.parametrize(
    ("position", "reference", "alternative", "coding"),
    [("1295228.0", "G", "A", "c.-124C>T"), ("1295250", "G", "A", "c.-146C>T"), ("1295228", "G", "T", "c.-124C>A"),
     ("1295228", "GC", "A", None), ("", "G", "A", None)],
)  # fmt: skip
def test_promoter_of_tert(position: str, reference: str, alternative: str, coding: str | None) -> None:
    """The gene lies on the reverse strand: base 1,295,228 is 124 before it."""
    cells = {"Start_Position": position, "Reference_Allele": reference, "Tumor_Seq_Allele2": alternative}
    assert tert_coding_change(Row(cells, "snv.tsv.gz", 2)) == coding


def test_promoter_variants_count_by_position(tmp_path: Path) -> None:
    """c.-124C>T is 1; a neighbour and a missense variant of TERT are 0."""

    def flank(position: str) -> dict[str, str]:
        return {
            "Hugo_Symbol": "TERT", "Variant_Classification": "5'Flank", "Start_Position": position,
            "Reference_Allele": "G", "Tumor_Seq_Allele2": "A",
        }  # fmt: skip

    assert genes(tmp_path, variants=[flank("1295228")])["gene_tert"] == 1
    assert genes(tmp_path, variants=[flank("1295205")])["gene_tert"] == 0
    assert genes(tmp_path, variants=[{"Hugo_Symbol": "TERT", "HGVSp_Short": "p.A670V"}])["gene_tert"] == 0
