"""The door that every cohort goes through: ranges, units, derived values."""

from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts.builder import CohortBuilder
from fhir_mappings.cohorts.source_tables import SourceError, number, read_rows
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


def test_source_tables_that_are_not_right_are_named(tmp_path: Path) -> None:
    """No file, a missing column, a short row, text in a number: the file and the place are said."""
    with pytest.raises(SourceError, match=r"none\.csv"):
        list(read_rows(tmp_path / "none.csv", ()))
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(SourceError, match=r"t\.csv: column c is missing"):
        list(read_rows(tmp_path / "t.csv", ("a", "c")))
    with pytest.raises(SourceError, match=r"t\.csv: row 3"):
        list(read_rows(tmp_path / "t.csv", ("a",)))
    (tmp_path / "t.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(SourceError, match=r"t\.csv\.gz: cannot be read"):
        list(read_rows(tmp_path / "t.csv.gz", ()))
    assert number({"x": " "}, "x") is None
    with pytest.raises(SourceError, match=r"t\.csv: x: 'many' is no number"):
        number({"x": "many"}, "x", "t.csv")
