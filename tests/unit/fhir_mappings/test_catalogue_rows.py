"""The catalogue as people and machines read it."""

import csv

from fhir_mappings.catalogue_rows import VERIFICATIONS, parameter_rows
from fhir_mappings.concepts import DATA, catalogue
from fhir_mappings.derive import CHANGES, FORMULAS
from fhir_mappings.formula_texts import formula_texts
from fhir_mappings.readers.body_composition import RATIOS


def test_every_column_of_the_table_is_there_in_order() -> None:
    """Numbers as numbers, a blank number as none."""
    with (DATA / "features.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    rows = parameter_rows()
    assert [row.key for row in rows] == [row["key"] for row in table]
    assert all(list(row.columns) == list(table[0]) for row in rows)
    age = rows[0].columns
    assert (age["low"], age["high"], age["window_days"], age["label_de"]) == (18, 110, None, "Alter")


def test_every_row_of_the_concept_map_is_a_code_of_one_parameter() -> None:
    """None is lost, each says how well it is known."""
    rows = parameter_rows()
    assert sum(len(row.codes) for row in rows) == len(catalogue().rows)
    assert {code.verification for row in rows for code in row.codes} == set(VERIFICATIONS)
    assert all(sum(row.by_verification().values()) == len(row.codes) for row in rows)


def test_every_computed_parameter_has_a_formula_and_its_source() -> None:
    """What the catalogue calls computed, and what the code computes."""
    computed = {
        feature.key
        for feature in catalogue().schema.features
        if feature.aggregation in {"derived", "change", "count"} or feature.missing_rule == "derived_from_parts"
    }
    computed |= {formula.key for formula in FORMULAS} | {change.key for change in CHANGES} | {r.key for r in RATIOS}
    assert set(formula_texts()) == computed
    assert all(text.formula and text.source for text in formula_texts().values())


def test_formulas_are_shown_with_their_parameter() -> None:
    """And only there."""
    shown = {row.key: row.formula.source for row in parameter_rows() if row.formula}
    assert "Inker" in shown["lab_egfr_ckdepi"]
    assert "lab_sodium" not in shown
