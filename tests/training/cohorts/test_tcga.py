"""TCGA: each trap of its tables, sprung on made-up rows."""

from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.source_tables import SourceError
from fhir_mappings.cohorts.tcga import build_tcga, entity_of_acronym
from fhir_mappings.concepts import catalogue
from fhir_mappings.genes import RULES
from tests.training.cohorts.source_files import Rows, sample, write_tcga

SCHEMA = catalogue().schema
A, B = "TCGA-AA-0001", "TCGA-AA-0002"


def values(built: BuiltCohort, patient: str = A) -> dict[str, float]:
    """What is known of a patient, the entity aside."""
    row = built.cohort.values[built.cohort.patient_id.tolist().index(patient)]
    known = {key: float(row[SCHEMA.index[key]]) for key in SCHEMA.keys if not SCHEMA[key].is_entity}
    return {key: value for key, value in known.items() if not np.isnan(value)}


def with_form(folder: Path, acronym: str = "LUAD", days: str = "500", **cells: str) -> BuiltCohort:
    samples = [sample(A, acronym, days_survived=days)]
    return build_tcga(write_tcga(folder, samples, form=[{"bcr_patient_barcode": A, **cells}]), SCHEMA)


def with_variants(folder: Path, variants: Rows, acronym: str = "LUAD", publications: Rows = ()) -> BuiltCohort:
    rows = [{"Tumor_Sample_Barcode": f"{A}-01A", **variant} for variant in variants]
    samples = [sample(A, acronym), sample(B, acronym)]
    return build_tcga(write_tcga(folder, samples, (), (), [f"{A}-01A"], rows, publications), SCHEMA)


def test_every_study_has_an_entity_and_one_row_a_patient(tmp_path: Path) -> None:
    """Patients with several samples stand once; the entity follows the study."""
    built = build_tcga(write_tcga(tmp_path, [sample(A, "COAD"), sample(A, "COAD", sample_type="Metastatic")]), SCHEMA)
    assert built.cohort.entity.tolist() == ["entity_colon"]
    assert built.cohort.setting.tolist() == ["diagnosis"]
    assert values(built) == {"demo_age_at_baseline": 60, "demo_sex_female": 0}
    assert len(entity_of_acronym()) == 31


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"acronym": "LAML"}, "blood cancer"),
        ({"acronym": "DLBC"}, "blood cancer"),
        ({"Redaction": "Redacted"}, "redacted"),
        ({"sample_type": "Recurrent Solid Tumor"}, "no sample of a primary or metastatic tumour"),
        ({"sample_type": "Solid Tissue Normal"}, "no sample of a primary or metastatic tumour"),
        ({"dead": ""}, "no status or time"),
        ({"days_survived": ""}, "no status or time"),
    ],
)
def test_who_is_left_out_and_why(tmp_path: Path, cells: dict[str, str], reason: str) -> None:
    """Blood cancers, redactions, other samples and patients without outcome are counted by reason."""
    built = build_tcga(write_tcga(tmp_path, [sample(A, **cells), sample(B)]), SCHEMA)
    assert built.cohort.patient_id.tolist() == [B]
    assert built.excluded == {reason: 1}


def test_stage_falls_back_to_the_clinical_one(tmp_path: Path) -> None:
    """AJCC first; FIGO and Masaoka where that is what is recorded; a discrepancy is missing."""
    rows = [
        sample(A, ajcc_stage="Stage IIA", clinical_stage="Stage IV"),
        sample(B, "OV", clinical_stage="Stage IIIC"),
        sample("TCGA-AA-0003", ajcc_stage="[Discrepancy]"),
    ]
    built = build_tcga(write_tcga(tmp_path, rows), SCHEMA)
    assert [values(built, p).get("stage_uicc_stage") for p in (A, B, "TCGA-AA-0003")] == [2, 3, None]


def test_molecular_summaries(tmp_path: Path) -> None:
    """MSI by either score, 1p/19q in gliomas only; rows of two studies fill each other's gaps."""
    clinical = [
        {
            "PATIENT_ID": A,
            "SAMPLE_ID": f"{A}-01",
            "MSI_SCORE_MANTIS": "0.41",
            "MSI_SENSOR_SCORE": "0",
            "STATUS_1P": "Lost",
        },
        {
            "PATIENT_ID": A,
            "SAMPLE_ID": f"{A}-01",
            "STATUS_1P": "Lost",
            "STATUS_19Q": "Lost",
            "TMB_NONSYNONYMOUS": "1.5",
        },
        {"PATIENT_ID": B, "SAMPLE_ID": f"{B}-01", "MSI_SENSOR_SCORE": "3.5", "STATUS_1P": "Lost", "STATUS_19Q": "Lost"},
        {"PATIENT_ID": B, "SAMPLE_ID": f"{B}-02", "TMB_NONSYNONYMOUS": "99"},
    ]
    built = build_tcga(write_tcga(tmp_path, [sample(A, "LGG"), sample(B, "LUAD")], clinical), SCHEMA)
    one, other = values(built, A), values(built, B)
    assert (one["gene_msi_high"], one["gene_1p19q_codeletion"], one["gene_tmb"]) == (1, 1, 1.5)
    assert other["gene_msi_high"] == 0
    assert "gene_1p19q_codeletion" not in other
    assert "gene_tmb" not in other  # that of the recurrence


def test_one_arm_that_is_not_lost_rules_codeletion_out(tmp_path: Path) -> None:
    """Whatever is known of the other arm; one lost arm alone says nothing."""
    rows = [sample(A, "LGG"), sample(B, "LGG")]
    clinical = [
        {"PATIENT_ID": A, "SAMPLE_ID": f"{A}-01", "STATUS_1P": "Not Called"},
        {"PATIENT_ID": B, "SAMPLE_ID": f"{B}-01", "STATUS_1P": "Lost"},
    ]
    built = build_tcga(write_tcga(tmp_path, rows, clinical), SCHEMA)
    assert values(built, A)["gene_1p19q_codeletion"] == 0
    assert "gene_1p19q_codeletion" not in values(built, B)


def test_performance_status_counts_only_at_baseline(tmp_path: Path) -> None:
    """After adjuvant therapy it already knows how the patient fares; at baseline the worse scale counts."""
    later = with_form(tmp_path, ecog="3", performance_status_baseline="0")
    assert "func_ecog" not in values(later)
    unknown = with_form(tmp_path, ecog="3", performance_status_baseline="")
    assert "func_ecog" not in values(unknown)
    baseline = with_form(tmp_path, ecog="1", karnofsky="50", performance_status_baseline="1")
    assert values(baseline)["func_ecog"] == 3


def test_never_smokers_have_no_pack_years(tmp_path: Path) -> None:
    """0 pack-years and status 0; former smokers of all three kinds are 1; 300 pack-years are out of range."""
    assert values(with_form(tmp_path, tobacco_smoking_history="1")).items() >= {
        ("func_smoking_status", 0.0),
        ("func_pack_years", 0.0),
    }
    former = with_form(tmp_path, tobacco_smoking_history="4", pack_years="300")
    assert values(former)["func_smoking_status"] == 1
    assert "func_pack_years" not in values(former)
    assert former.cohort.out_of_range["func_pack_years"] == 1


def test_the_pathologist_is_heard_first(tmp_path: Path) -> None:
    """A pathological category beats the clinical one; an X leaves the word to the clinician."""
    built = with_form(
        tmp_path,
        pathologic_t="t3a",
        clinical_t="t1",
        pathologic_n="nx",
        clinical_n="n2b",
        pathologic_m="mx",
        clinical_m="m1a",
    )
    stage = values(built)
    assert (stage["stage_t_category"], stage["stage_n_category"], stage["stage_m1"]) == (3, 2, 1)


def test_no_extranodal_extension_without_positive_nodes(tmp_path: Path) -> None:
    """The form's "no" of a node-negative patient only repeats N0."""
    no = {"extracapsular_spread": "no extranodal extension"}
    assert "path_extranodal_extension" not in values(with_form(tmp_path, "HNSC", **no, lymph_nodes_positive_he="0"))
    assert values(with_form(tmp_path, "HNSC", **no, lymph_nodes_positive_he="2"))["path_extranodal_extension"] == 0
    gross = with_form(tmp_path, "HNSC", extracapsular_spread="gross extension")
    assert values(gross)["path_extranodal_extension"] == 1


def test_p16_counts_only_in_the_oropharynx(tmp_path: Path) -> None:
    """A positive p16 of the larynx is not used; either test may be positive; the loose HPV column has no method."""
    assert "path_p16_hpv" not in values(with_form(tmp_path, "HNSC", p16="positive", icd_o_3_site="c32.9"))
    tonsil = with_form(tmp_path, "HNSC", p16="negative", hpv_ish="positive", icd_o_3_site="c09.9")
    assert values(tonsil)["path_p16_hpv"] == 1
    assert values(tonsil)["path_oropharynx"] == 1


def test_the_side_of_the_colon(tmp_path: Path) -> None:
    """C18.9 is "colon, not otherwise specified": there the form's subdivision decides; outside of it nothing does."""
    side = "path_colon_right_sided"
    assert values(with_form(tmp_path, "COAD", icd_o_3_site="c18.9", anatomic_subdivision="cecum"))[side] == 1
    assert values(with_form(tmp_path, "COAD", icd_o_3_site="c18.7", anatomic_subdivision="cecum"))[side] == 0
    assert side not in values(with_form(tmp_path, "COAD", icd_o_3_site="c18.9"))
    assert side not in values(with_form(tmp_path, "LUAD", icd_o_3_site="c18.7"))


def test_histology_comes_from_the_morphology_code(tmp_path: Path) -> None:
    """Adenosquamous carcinoma is both; carcinoma without detail is neither 0 nor 1."""
    both = values(with_form(tmp_path, icd_o_3_histology="8560/3"))
    assert (both["path_adenocarcinoma"], both["path_squamous"], both["path_serous"]) == (1, 1, 0)
    assert "path_squamous" not in values(with_form(tmp_path, icd_o_3_histology="8010/3"))


def test_melanoma_enters_when_its_specimen_is_taken(tmp_path: Path) -> None:
    """A specimen years after diagnosis delays entry; who died before it could not have entered."""
    built = with_form(tmp_path, "SKCM", days_to_submitted_specimen_dx="400")
    assert built.cohort.entry.tolist() == [400]
    early = with_form(tmp_path, "SKCM", days_to_submitted_specimen_dx="-2")
    assert early.cohort.entry.tolist() == [0]
    other = with_form(tmp_path, "LUAD", days_to_submitted_specimen_dx="400")
    assert other.cohort.entry.tolist() == [0]
    write_tcga(
        tmp_path,
        [sample(A, "SKCM"), sample(B)],
        form=[{"bcr_patient_barcode": A, "days_to_submitted_specimen_dx": "500"}],
    )
    late = build_tcga(tmp_path, SCHEMA)
    assert late.cohort.patient_id.tolist() == [B]
    assert late.excluded == {"no follow-up after the specimen": 1}


def test_germ_cell_markers_are_those_before_the_operation(tmp_path: Path) -> None:
    """A marker drawn a year after orchiectomy is another marker."""
    before = with_form(tmp_path, "TGCT", pre_orchi_afp="345", days_to_pre_orchi_serum_test="-3")
    assert values(before)["lab_afp"] == 345
    after = with_form(tmp_path, "TGCT", pre_orchi_afp="345", days_to_pre_orchi_serum_test="361")
    assert "lab_afp" not in values(after)


def test_untested_is_not_wild_type(tmp_path: Path) -> None:
    """A patient whose tumour was sequenced without a KRAS variant is 0, one whose was not sequenced is missing."""
    built = with_variants(tmp_path, [])
    assert values(built, A)["gene_kras"] == 0
    assert "gene_kras" not in values(built, B)


def test_genes_that_an_exome_cannot_answer_stay_missing(tmp_path: Path) -> None:
    """No copy number, no rearrangements, no promoters: neither 0 nor, then, 1."""
    cdkn2a = {"Hugo_Symbol": "CDKN2A", "Variant_Classification": "Nonsense_Mutation", "HGVSp_Short": "p.R80*"}
    known = values(with_variants(tmp_path, [cdkn2a]))
    unseen = {rule.key for rule in RULES.values() if rule.zero_needs != ("sequence",)}
    assert {"gene_cdkn2a", "gene_alk", "gene_tert", "gene_erbb2", "gene_ret"} < unseen
    assert not unseen & known.keys()
    assert sum(key.startswith("gene_") for key in known) == 57


def test_variants_of_a_recurrence_are_not_those_of_the_tumour(tmp_path: Path) -> None:
    """Sample type 02 neither tests the patient nor mutates the gene."""
    row = {"Tumor_Sample_Barcode": f"{A}-02A", "Hugo_Symbol": "KRAS", "Variant_Classification": "Missense_Mutation"}
    write_tcga(tmp_path, [sample(A)], (), (), [f"{A}-02A"], [{**row, "HGVSp_Short": "p.G12D"}])
    assert "gene_kras" not in values(build_tcga(tmp_path, SCHEMA))


@pytest.mark.parametrize(
    ("gene", "protein", "consequence", "start", "expected"),
    [
        ("MET", "p.X1028_splice", "Splice_Site", "116412045", 1),
        ("MET", "", "Splice_Site", "116412044", 1),
        ("MET", "", "Splice_Site", "116403323", 0),
        ("MET", "p.D1028N", "Missense_Mutation", "116412043", 1),
        ("MET", "p.L982M", "Missense_Mutation", "116411905", 0),
        ("GNAS", "p.R844C", "Missense_Mutation", "57484420", 1),
        ("GNAS", "p.R201H", "Missense_Mutation", "57484421", 1),
        ("GNAS", "p.D832N", "Missense_Mutation", "57484251", 0),
        ("H3-3A", "p.K28M", "Missense_Mutation", "226252135", 1),
        ("EGFR", "p.ELREA746del", "In_Frame_Del", "55242465", 1),
        ("ARID1A", "", "Splice_Site", "27100000", 1),
        ("TP53", "p.X126_splice", "Splice_Site", "7578555", 1),
    ],
)
def test_callers_that_count_on_another_transcript(
    tmp_path: Path, gene: str, protein: str, consequence: str, start: str, expected: int
) -> None:
    """MET 1028 is 1010, GNAS 844 is 201; splice sites of MET without a protein change are told by their position."""
    variant = {
        "Hugo_Symbol": gene, "HGVSp_Short": protein, "Variant_Classification": consequence,
        "Start_Position": start, "End_Position": start,
    }  # fmt: skip
    key = {"H3-3A": "gene_h3_3a"}.get(gene, f"gene_{gene.lower()}")
    assert values(with_variants(tmp_path, [variant]))[key] == expected


def test_a_variant_that_cannot_be_told_leaves_the_gene_missing(tmp_path: Path) -> None:
    """A frameshift whose protein change is a substitution; a second, clear variant decides nevertheless."""
    unclear = {"Hugo_Symbol": "RNF43", "HGVSp_Short": "p.Q781M", "Variant_Classification": "Frame_Shift_Del"}
    clear = {"Hugo_Symbol": "RNF43", "HGVSp_Short": "p.R117fs", "Variant_Classification": "Frame_Shift_Del"}
    assert "gene_rnf43" not in values(with_variants(tmp_path, [unclear]))
    assert values(with_variants(tmp_path, [unclear, clear]))["gene_rnf43"] == 1


def test_publications_fill_what_exomes_lack(tmp_path: Path) -> None:
    """The exome's answer stays; promoters, methylation and the untested come from the papers."""
    papers = [
        {"PATIENT_ID": A, "ATRX_STATUS": "Mutant", "TERT_PROMOTER_STATUS": "WT", "MGMT_STATUS": "METHYLATED"},
        {
            "PATIENT_ID": B,
            "ATRX_STATUS": "Mutant",
            "IDH_STATUS": "WT",
            "IDH_CODEL_SUBTYPE": "IDHwt",
            "GLIOMA_GRADE": "G4",
        },
    ]
    built = with_variants(tmp_path, [], "GBM", papers)
    sequenced, other = values(built, A), values(built, B)
    assert (sequenced["gene_atrx"], sequenced["gene_tert"], sequenced["gene_mgmt_methylated"]) == (0, 0, 1)
    assert (other["gene_atrx"], other["gene_idh1"], other["gene_idh2"]) == (1, 0, 0)
    assert (other["gene_1p19q_codeletion"], other["stage_grade"]) == (0, 4)


def test_erbb2_is_zero_only_with_both_tests(tmp_path: Path) -> None:
    """No amplification and an exome without a listed variant; amplified is 1 either way."""
    papers = [{"PATIENT_ID": patient, "HER2_AMPLIFICATION_STATUS": "0"} for patient in (A, B)]
    built = with_variants(tmp_path, [], "STAD", papers)
    assert values(built, A)["gene_erbb2"] == 0
    assert "gene_erbb2" not in values(built, B)
    variant = {"Hugo_Symbol": "ERBB2", "HGVSp_Short": "p.S310F", "Variant_Classification": "Missense_Mutation"}
    assert values(with_variants(tmp_path, [variant], "STAD", papers))["gene_erbb2"] == 1
    amplified = [{"PATIENT_ID": B, "HER2_AMPLIFICATION_STATUS": "1"}]
    assert values(with_variants(tmp_path, [], "STAD", amplified), B)["gene_erbb2"] == 1


def test_epstein_barr_virus_is_read_for_stomachs_only(tmp_path: Path) -> None:
    """Any other subtype of a gastric cancer is 0; the same table's oesophagus has no such parameter."""
    papers = [{"PATIENT_ID": A, "GASTRIC_CLASSIFICATION": "EBV"}, {"PATIENT_ID": B, "STAD_SUBTYPE": "CIN"}]
    built = with_variants(tmp_path, [], "STAD", papers)
    assert (values(built, A)["path_ebv"], values(built, B)["path_ebv"]) == (1, 0)
    assert "path_ebv" not in values(with_variants(tmp_path, [], "ESCA", papers))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    """The file that is not there, on one line."""
    write_tcga(tmp_path, [sample(A)])
    (tmp_path / "molecular_publications.csv.gz").unlink()
    with pytest.raises(SourceError, match=r"molecular_publications\.csv\.gz: cannot be read"):
        build_tcga(tmp_path, SCHEMA)
