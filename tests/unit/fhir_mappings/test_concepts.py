"""Codes mean parameters exactly: by system and code, never by prefix."""

import shutil
from pathlib import Path

import pytest

from fhir_mappings.concepts import (
    ATC,
    DATA,
    ICD10_CM,
    ICD10_GM,
    ICD10_WHO,
    ICD_O_3,
    LOINC,
    OPS,
    SNOMED,
    Catalogue,
    canonical,
    catalogue,
    ops_levels,
)
from fhir_mappings.table_rows import CatalogueError

LOINC_OID, SNOMED_OID = "urn:oid:2.16.840.1.113883.6.1", "urn:oid:2.16.840.1.113883.6.96"
OLD_GM = "http://fhir.de/CodeSystem/dimdi/icd-10-gm"


def keys(system: str, code: str) -> set[str]:
    return {concept.key for concept in catalogue().lookup(system, code)}


# Typed from LOINC itself.
@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("718-7", "lab_hemoglobin"),
        ("6690-2", "lab_wbc"),
        ("777-3", "lab_platelets"),
        ("2160-0", "lab_creatinine"),
        ("2951-2", "lab_sodium"),
        ("2823-3", "lab_potassium"),
        ("1751-7", "lab_albumin"),
        ("1988-5", "lab_crp"),
        ("2532-0", "lab_ldh"),
        ("1975-2", "lab_bilirubin_total"),
        ("2039-6", "lab_cea"),
        ("2857-1", "lab_psa"),
        ("8867-4", "vital_heart_rate"),
        ("8310-5", "vital_temperature"),
        ("29463-7", "vital_weight"),
        ("8302-2", "vital_height"),
        ("8480-6", "vital_sbp"),
        ("89247-1", "func_ecog"),
        ("72166-2", "func_smoking_status"),
        ("21908-9", "stage_uicc_stage"),
        ("94076-7", "gene_tmb"),
        ("81695-9", "gene_msi_high"),
    ],
)
def test_a_loinc_code_names_its_parameter(code: str, key: str) -> None:
    """Under LOINC's address and under its object identifier."""
    assert key in keys(LOINC, code)
    assert keys(LOINC_OID, code) == keys(LOINC, code)


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (LOINC, "718"),
        (LOINC, "718-70"),
        (LOINC, " 718-7"),
        (LOINC, ""),
        ("", "718-7"),
        (SNOMED, "718-7"),
        (LOINC + "/", "718-7"),
        ("http://LOINC.org", "718-7"),
        (ICD10_GM, "C3400"),
        (ICD10_GM, "C34100"),
        (ICD10_GM, "C34.1x"),
        (ICD10_GM, "C3"),
        (ICD10_GM, "C"),
        (ICD10_WHO, "C34.12"),
        (ICD10_CM, "C34.19"),
        (LOINC, "C34.1"),
        (ICD_O_3, "C34.10"),
        (ICD_O_3, "814/3"),
    ],
)
def test_what_is_not_exactly_a_code_of_the_system_means_nothing(system: str, code: str) -> None:
    """No prefix, no other system, no repaired spelling."""
    assert keys(system, code) == set()


@pytest.mark.parametrize("written", ["C34.1", "c34.1", "C34.1†", "C34.1*", "C34.1!", "C34.1+"])
def test_marks_of_icd_10_gm_are_stripped(written: str) -> None:
    """Dagger, asterisk and exclamation mark say how a code is paired, not what it means."""
    assert "entity_nsclc" in keys(ICD10_GM, written)


@pytest.mark.parametrize(
    ("system", "code", "key"),
    [
        (ICD10_GM, "C34.-", "entity_nsclc"),
        (ICD10_WHO, "C34", "entity_nsclc"),
        (ICD10_CM, "C34.11", "entity_nsclc"),
        (OLD_GM, "C34.1", "entity_nsclc"),
        (ICD10_GM, "E11.90", "comorb_diabetes"),
        (ICD10_CM, "E11.9", "comorb_diabetes"),
        (ICD10_WHO, "I50.0", "comorb_chf"),
        (ICD10_GM, "I50.01", "comorb_chf"),
        (ICD10_GM, "C78.7", "stage_met_liver"),
        (ICD10_CM, "C79.51", "stage_met_bone"),
    ],
)
def test_a_category_holds_the_codes_below_it(system: str, code: str, key: str) -> None:
    """Each edition by its own list."""
    assert key in keys(system, code)


@pytest.mark.parametrize("system", [ICD10_WHO, ICD10_GM, ICD10_CM])
@pytest.mark.parametrize("code", ["C77.3", "Z85.1", "Z80.0", "D05.1", "D12.6", "D48.9", "Z08.0"])
def test_no_code_of_history_family_in_situ_or_lymph_node_means_a_tumour_or_metastasis(system: str, code: str) -> None:
    """Z85, Z80 and D codes never, regional lymph nodes neither."""
    concepts = [c for c in catalogue().lookup(system, code) if c.meaning != "ignored"]
    assert not [c.key for c in concepts if c.key.startswith(("entity_", "stage_met", "comorb_prior"))]


def test_an_exclusion_beats_the_category_around_it() -> None:
    """Endocrine pancreas (C25.4) lies in C25 and is no carcinoma of the pancreas."""
    meanings = {concept.key: concept.meaning for concept in catalogue().lookup(ICD10_GM, "C25.4")}
    assert meanings["entity_pancreas"] == "ignored"
    assert {c.key: c.meaning for c in catalogue().lookup(ICD10_GM, "C25.1")}["entity_pancreas"] == "category"


def test_unknown_primary_differs_between_editions() -> None:
    """C80.0 is the unknown primary in WHO and GM, disseminated disease in CM."""
    for system in (ICD10_WHO, ICD10_GM):
        assert [c.meaning for c in catalogue().lookup(system, "C80.0") if c.key == "entity_cup"] == ["category"]
    assert [c.meaning for c in catalogue().lookup(ICD10_CM, "C80.0") if c.key == "entity_cup"] == ["ignored"]


@pytest.mark.parametrize(
    ("code", "levels"),
    [
        ("5-322.d1", ["5-322.d1", "5-322.d", "5-322", "5-32"]),
        ("8-800.C", ["8-800.c", "8-800", "8-80"]),
        ("8-52", ["8-52"]),
        ("8-5", []),
        ("8-52.1", []),
        ("5-322.d12", []),
        ("5-322d1", []),
        ("5-322.d1 ", []),
        ("", []),
    ],
)
def test_an_ops_code_stands_below_the_levels_of_its_notation(code: str, levels: list[str]) -> None:
    """Narrowest first; what is no OPS code has none."""
    assert ops_levels(code) == levels


def test_a_level_of_ops_is_looked_up_as_it_is_written() -> None:
    """8-52 holds 8-522.6, and not 8-530; the narrower row is the one that is found."""
    assert keys(OPS, "8-522.6") == {"tx_prior_radiotherapy"}
    assert keys("http://fhir.de/CodeSystem/dimdi/ops", "8-522.6") == {"tx_prior_radiotherapy"}
    assert keys(OPS, "8-530.1") == {"tx_radioligand"}
    assert keys(OPS, "8-80") == keys(OPS, "8-800.6") == keys(SNOMED, "8-522.6") == set()


def test_an_atc_category_holds_the_listed_substances_below_it() -> None:
    """And the classes; never what only begins alike."""
    assert keys(ATC, "J01CR02") == keys(ATC, "J01C") == {"med_antibiotic_30d"}
    assert keys(ATC, "J01CR02X") == keys(ATC, "J01CR99") == keys(ATC, "J0") == set()
    assert keys(ATC, "L01FX04") - {"tx_targeted_mab"} == {"tx_ici", "tx_prior_regimens"}
    assert {c.meaning for c in catalogue().lookup(ATC, "L01FX04") if c.key == "tx_targeted_mab"} == {"ignored"}


@pytest.mark.parametrize(
    ("code", "tells"),
    [("L01XA01", True), ("A02BC01", True), ("N02AX02", True), ("L01FF99", False), ("L01FF", False), ("PZN1234", False)],
)
def test_an_atc_code_tells_the_drug_or_not(code: str, tells: bool) -> None:
    """A substance that is not listed in a class that is asked for may be any of it."""
    assert catalogue().tells_drug(code) is tells


def test_a_topography_has_one_decimal() -> None:
    """C50 and C50.9 are the breast, C50.91 is no ICD-O-3."""
    assert keys(ICD_O_3, "C50") == keys(ICD_O_3, "C50.9") != set()
    assert keys(ICD_O_3, "C50.91") == set()


def test_a_range_of_morphologies_ends_where_it_says() -> None:
    """Mesothelioma is 9050 to 9053."""
    assert all("entity_mesothelioma" in keys(ICD_O_3, f"{n}/3") for n in (9050, 9053))
    assert not any("entity_mesothelioma" in keys(ICD_O_3, f"{n}/3") for n in (9049, 9054))
    assert "entity_mesothelioma" not in keys(ICD_O_3, "9050/0")


def test_a_coded_answer_states_a_level_of_its_parameter_only() -> None:
    """LA9624-3 is ECOG 2; the same code answers nothing else; "unknown" is stated as not a number."""
    source = catalogue()
    assert source.level("func_ecog", LOINC, "LA9624-3") == 2
    assert source.level("func_ecog", LOINC_OID, "LA9624-3") == 2
    assert source.level("stage_grade", LOINC, "LA9624-3") is None
    unknown = source.level("stage_t_category", "https://www.uicc.org/resources/tnm", "TX")
    assert unknown is not None
    assert unknown != unknown  # noqa: PLR0124 - NaN


@pytest.mark.parametrize(
    ("key", "code", "level"),
    [
        ("stage_uicc_stage", "IIIA", 3),
        ("stage_uicc_stage", "IVB", 4),
        ("stage_t_category", "pT2b", 2),
        ("stage_t_category", "T4", 4),
        ("stage_n_category", "cN1mi", 1),
        ("stage_m1", "pM0", 0),
        ("stage_m1", "M1c", 1),
        ("stage_t_category", "ypT2", None),
        ("stage_t_category", "rT2", None),
        ("stage_n_category", "ypN0", None),
        ("stage_t_category", "T5", None),
    ],
)
def test_tnm_texts_are_read_and_marks_of_a_later_stage_are_not(key: str, code: str, level: float | None) -> None:
    """Y and r never enter the initial stage."""
    assert catalogue().level(key, "https://www.uicc.org/resources/tnm", code) == level


def test_synonyms_stand_for_one_system() -> None:
    """Other addresses are themselves."""
    assert canonical(SNOMED_OID) == SNOMED
    assert canonical("urn:mine") == "urn:mine"


def test_the_catalogue_has_350_parameters_of_which_38_are_entities() -> None:
    """The model's input contract."""
    schema = catalogue().schema
    assert (len(schema), len(schema.entities)) == (350, 38)


def test_the_digest_covers_the_gene_rules(tmp_path: Path) -> None:
    """Two mappings that read a variant differently have different digests."""
    for file in DATA.glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert Catalogue(tmp_path).digest == catalogue().digest
    with (tmp_path / "gene_rules.csv").open("a", encoding="utf-8") as rules:
        rules.write("\n")
    assert Catalogue(tmp_path).digest != catalogue().digest


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("lab_albumn,https://h.example,ALB1,,value,,,,,,", "key: no parameter is called 'lab_albumn'"),
        ("lab_albumin,https://h.example,ALB1", "3 cells, and the head has 11"),
        ("lab_albumin,https://h.example,ALB1,Albumin, local,value,,,,,,", "12 cells, and the head has 11"),
        ("lab_albumin;https://h.example;ALB1;;value;;;;;;", "1 cells, and the head has 11"),
        ("lab_albumin,https://h.example,ALB1,,valeu,,,,,,", "meaning: 'valeu' is none of value, 1, category, "),
        ("lab_albumin,https://h.example,ALB1,,value,x,,,,,", "factor: 'x' is no number"),
        ("lab_albumin,,ALB1,,value,,,,,,", "system: is needed"),
        ("lab_albumin,https://h.example, ,,value,,,,,,", "code: is needed"),
    ],
)
def test_a_wrong_row_of_a_site_is_told_by_its_line(tmp_path: Path, row: str, told: str) -> None:
    """README tells sites to add rows by hand: a slip is no silent gap and no traceback."""
    shutil.copytree(DATA, tmp_path, dirs_exist_ok=True)
    table = tmp_path / "concept_map.csv"
    lines = table.read_text(encoding="utf-8").count("\n")
    with table.open("a", encoding="utf-8") as file:
        file.write(f"\n{row}\n")
    with pytest.raises(CatalogueError) as caught:
        Catalogue(tmp_path)
    assert str(caught.value).startswith(f"concept_map.csv: line {lines + 2}: {told}")


def test_a_row_of_a_site_is_read(tmp_path: Path) -> None:
    """As README says: parameter, own system, own code, meaning `value`."""
    shutil.copytree(DATA, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "concept_map.csv").open("a", encoding="utf-8") as file:
        file.write("lab_albumin,https://h.example,ALB1,,value,,,,,,\n")
    [concept] = Catalogue(tmp_path).lookup("https://h.example", "ALB1")
    assert concept.key == "lab_albumin"
