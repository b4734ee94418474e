"""The door that every cohort goes through: ranges, units, derived values."""

from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts.builder import CohortBuilder
from fhir_mappings.cohorts.columns import outcome
from fhir_mappings.cohorts.entity_names import entities_named
from fhir_mappings.cohorts.source_tables import Row, SourceError, number, read_rows
from fhir_mappings.concepts import catalogue

SCHEMA = catalogue().schema


def builder() -> CohortBuilder:
    return CohortBuilder(SCHEMA, "made_up", "diagnosis")


def test_an_implausible_value_is_missing_and_counted() -> None:
    """An albumin of 29 g/dL is no albumin; nothing stays nothing."""
    build = builder()
    patient = build.add("P1", "entity_colon", 100, event=True)
    build.put(patient, "lab_albumin", 29)
    build.put(patient, "lab_sodium", None)
    assert patient.values == {}
    assert build.build().cohort.out_of_range == {"lab_albumin": 1}


def test_units_are_converted_by_the_catalogue_s_table() -> None:
    """A source in g/L or umol/L ends in the canonical unit; a unit that the table lacks is not guessed."""
    build = builder()
    patient = build.add("P1", "entity_colon", 100, event=True)
    build.put(patient, "lab_albumin", 41, "g/L")
    build.put(patient, "lab_creatinine", 88.4, "umol/L")
    assert patient.values == pytest.approx({"lab_albumin": 4.1, "lab_creatinine": 1.0}, abs=1e-4)
    with pytest.raises(KeyError, match="furlong"):
        build.put(patient, "vital_height", 1, "furlong")


def test_values_with_all_their_parts_are_derived() -> None:
    """Body mass index, filtration rate, ALBI, NLR and anion gap come from one place; half a pair yields nothing."""
    build = builder()
    patient = build.add("P1", "entity_colon", 100, event=True)
    parts = {
        "vital_weight": 70, "vital_height": 175, "lab_creatinine": 0.9, "demo_age_at_baseline": 50,
        "demo_sex_female": 0, "lab_bilirubin_total": 1, "lab_albumin": 4, "lab_neutrophils_abs": 6,
        "lab_lymphocytes_abs": 2, "lab_sodium": 140, "lab_chloride": 104, "lab_bicarbonate": 24, "vital_sbp": 120,
    }  # fmt: skip
    for key, value in parts.items():
        build.put(patient, key, value)
    build.build()
    derived = {key: value for key, value in patient.values.items() if key not in parts}
    assert derived == pytest.approx(
        {"vital_bmi": 22.86, "lab_egfr_ckdepi": 104.0, "ratio_albi": -2.586, "ratio_nlr": 3, "ratio_anion_gap": 12},
        abs=0.1,
    )


def test_the_table_is_laid_out_in_catalogue_order() -> None:
    """One-hot entity, half a day for a time of 0, missing where nothing was put."""
    build = builder()
    build.put(build.add("P1", "entity_colon", 0, event=True), "lab_sodium", 131)
    build.add("P2", "", 50, event=False, entry=10)
    cohort = build.build().cohort
    assert cohort.time.tolist() == [0.5, 50]
    assert cohort.entry.tolist() == [0, 10]
    assert cohort.values[0, SCHEMA.index["lab_sodium"]] == 131
    assert cohort.values[0, SCHEMA.entity_columns].sum() == 1
    assert np.isnan(cohort.values[1]).all()


def row(folder: Path, text: str, columns: tuple[str, ...] = ()) -> Row:
    """The first row of a table."""
    (folder / "t.csv").write_text(text)
    return next(iter(read_rows(folder / "t.csv", columns)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", r"t\.csv: column c is missing"),
        ("", r"t\.csv: column a is missing"),
        ("a,c\n1,2\n3\n", r"t\.csv: row 3: not as many cells as columns"),
        ("a,c\n1,2\n3,4,5\n", r"t\.csv: row 3: not as many cells as columns"),
        ("# note\na,c\n1\n", r"t\.csv: row 3: not as many cells as columns"),
    ],
)
def test_a_table_that_is_not_right_is_named(tmp_path: Path, text: str, said: str) -> None:
    """A missing column and a short or long row: file and place are said, comments before the header counted."""
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(SourceError, match=said):
        list(read_rows(tmp_path / "t.csv", ("a", "c")))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """No such file, and no gzip."""
    with pytest.raises(SourceError, match=r"none\.csv"):
        list(read_rows(tmp_path / "none.csv", ()))
    (tmp_path / "t.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(SourceError, match=r"t\.csv\.gz: cannot be read"):
        list(read_rows(tmp_path / "t.csv.gz", ()))


@pytest.mark.parametrize("cell", ["many", "nan", "inf", "1,5"])
def test_text_in_a_number_is_named(tmp_path: Path, cell: str) -> None:
    """File, row and column; an empty cell is no text."""
    with pytest.raises(SourceError, match=rf"^t\.csv: row 2: x '{cell}' is no number$"):
        number(row(tmp_path, f'x,y\n"{cell}",\n'), "x")
    assert number(row(tmp_path, "x,y\n ,2\n"), "x") is None


def test_outcomes(tmp_path: Path) -> None:
    """Days and death, None where one is not known; a negative time is a fault of the file."""
    dead = {"1": True, "0": False}
    found = [outcome(row(tmp_path, f"t,s\n{cells}\n"), "t", 7, "s", dead) for cells in ("2,1", "2,0", ",1", "2,x")]
    assert found == [(14, True), (14, False), None, None]
    with pytest.raises(SourceError, match=r"^t\.csv: row 2: t is negative$"):
        outcome(row(tmp_path, "t,s\n-3,1\n"), "t", 7, "s", dead)


def test_a_patient_stands_once(tmp_path: Path) -> None:
    """A second row of a patient, and a row without an identifier, are faults of the file."""
    build, first = builder(), row(tmp_path, "id,x\nP1,\n")
    build.add_row(first, "id", "", (10, True))
    with pytest.raises(SourceError, match=r"^t\.csv: row 2: id stands twice$"):
        build.add_row(first, "id", "", (10, True))
    with pytest.raises(SourceError, match=r"^t\.csv: row 2: id is empty$"):
        build.add_row(row(tmp_path, "id,x\n ,1\n"), "id", "", (10, True))


def test_names_of_cancer_types() -> None:
    """Words for TCGA and OncoTree, phrases without their remarks for the others; a name that needs a code is none."""
    assert entities_named("tcga")["LUAD"] == "entity_nsclc"
    assert entities_named("oncotree")["IDC"] == "entity_breast"
    assert entities_named("support2") == {"Lung Cancer": "entity_nsclc", "Colon Cancer": "entity_colon"}
    assert entities_named("msk_met")["Melanoma"] == "entity_melanoma"
    assert entities_named("msk_met")["Biliary Tract Cancer, NOS"] == "entity_biliary"
    assert "Colorectal Cancer" not in entities_named("msk_met")
