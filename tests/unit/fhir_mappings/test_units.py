"""Units as laboratories write them."""

import csv
from pathlib import Path

import pytest

from fhir_mappings.concepts import DATA, catalogue
from fhir_mappings.resources.datatypes import Quantity
from fhir_mappings.table_rows import CatalogueError
from fhir_mappings.units import UCUM, UnknownUnitError, plain, read_units, units

SCHEMA = catalogue().schema


def converted(key: str, value: float, code: str = "", unit: str = "", system: str = UCUM) -> float:
    conversion, _ = units().of_quantity(SCHEMA[key], Quantity(value=value, code=code, unit=unit, system=system))
    return conversion(value)


# Expected by molar mass, by definition of the unit, or from a textbook: none of it read from the table.
@pytest.mark.parametrize(
    ("key", "value", "unit", "expected"),
    [
        ("lab_creatinine", 88.4, "umol/L", 1.0),
        ("lab_creatinine", 88.4, "µmol/L", 1.0),
        ("lab_creatinine", 88.4, "μmol/L", 1.0),  # Greek mu
        ("lab_creatinine", 88.4, "µmol/l", 1.0),
        ("lab_creatinine", 1.2, "mg/dl", 1.2),
        ("lab_bilirubin_total", 17.1, "umol/L", 1.0),
        ("lab_bilirubin_total", 17.1, "µmol/l", 1.0),
        ("lab_urea_nitrogen", 5.0, "mmol/L", 14.0),
        ("lab_glucose", 5.55, "mmol/L", 100.0),
        ("lab_calcium", 2.5, "mmol/L", 10.0),
        ("lab_magnesium", 1.0, "mmol/L", 2.43),
        ("lab_phosphate", 1.0, "mmol/L", 3.1),
        ("lab_uric_acid", 357, "umol/L", 6.0),
        ("lab_cholesterol", 5.0, "mmol/L", 193.4),
        ("lab_hemoglobin", 8.0, "mmol/L", 12.9),
        ("lab_hemoglobin", 130, "g/L", 13.0),
        ("lab_albumin", 42, "g/L", 4.2),
        ("lab_crp", 1.5, "mg/dL", 15.0),
        ("lab_crp", 1.5, "mg/L", 1.5),
        ("lab_wbc", 5.2, "Gpt/l", 5.2),
        ("lab_wbc", 5.2, "10*3/uL", 5.2),
        ("lab_wbc", 5.2, "x10E9/L", 5.2),
        ("lab_wbc", 5200, "/uL", 5.2),
        ("lab_wbc", 5200, "/µl", 5.2),
        ("lab_platelets", 250, "/nL", 250),
        ("lab_rbc", 4.5, "10*6/uL", 4.5),
        ("lab_rbc", 4.5, "Tpt/l", 4.5),
        ("lab_hematocrit", 0.42, "L/L", 42),
        ("lab_hba1c", 53, "mmol/mol", 7.0),
        ("lab_d_dimer", 0.5, "mg/L", 500),
        ("lab_ldh", 4.0, "ukat/L", 240),
        ("lab_alt", 35, "IU/L", 35),
        ("lab_afp", 10, "[IU]/mL", 12.1),
        ("lab_testosterone", 10, "nmol/L", 288),
        ("lab_tsh", 2.0, "u[IU]/mL", 2.0),
        ("lab_egfr_ckdepi", 60, "mL/min/{1.73_m2}", 60),
        ("lab_egfr_ckdepi", 60, "mL/min/1.73m2", 60),
        ("lab_pf_ratio", 40, "kPa", 300),
        ("lab_sodium", 140, "meq/L", 140),
        ("vital_temperature", 98.6, "[degF]", 37.0),
        ("vital_temperature", 310.15, "K", 37.0),
        ("vital_weight", 154.3, "[lb_av]", 70.0),
        ("vital_weight", 70000, "g", 70.0),
        ("vital_height", 1.75, "m", 175),
        ("vital_height", 69, "[in_i]", 175.3),
        ("path_tumour_size", 3.2, "cm", 32),
        ("func_urine_output", 1.5, "L/d", 1500),
        ("gene_tmb", 12, "{mutations}/Mb", 12),
    ],
)
def test_a_unit_is_converted_to_the_canonical_one(key: str, value: float, unit: str, expected: float) -> None:
    """As code or as text, in UCUM or as hospitals write it."""
    assert converted(key, value, code=unit) == pytest.approx(expected, rel=0.01)
    assert converted(key, value, unit=unit) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("written", "plainly"),
    [
        ("x 10^9 /l", "10*9/L"),
        ("10E9/L", "10*9/L"),
        ("×10⁹/L", "10*9/L"),
        ("10**3/µl", "10*3/uL"),
        ("μmol/l", "umol/L"),
        ("ml/min/1,73 m²", "mL/min/1.73m2"),
        ("Gpt/l", "Gpt/L"),
        ("fl", "fL"),
        ("109/L", "109/L"),
        ("mol", "mol"),
        ("kg/ml" * 20, "kg/ml" * 20),
    ],
)
def test_what_differs_in_nothing_is_written_one_way(written: str, plainly: str) -> None:
    """Blanks, the letter mu, powers of ten, litre, a decimal comma; a lost power (109) and other letters stay."""
    assert plain(written) == plainly


@pytest.mark.parametrize(("one", "other"), [("mg/dL", "MG/dL"), ("mmol/L", "Mmol/L"), ("g/L", "G/L"), ("m", "M")])
def test_letters_of_another_size_are_another_unit(one: str, other: str) -> None:
    """Milli is not mega."""
    assert plain(one) != plain(other)


def test_rows_that_are_written_one_way_say_the_same() -> None:
    """No two rows for one unit and scope: one would hide the other."""
    with (DATA / "units.csv").open(newline="", encoding="utf-8") as file:
        rows = [(r["ucum"], r["scope"], plain(r["spelling"])) for r in csv.DictReader(file) if r["scope"] != "none"]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    "key", ["lab_creatinine", "lab_crp", "vital_weight", "vital_temperature", "gene_tmb", "lab_psa"]
)
def test_a_missing_unit_is_not_guessed(key: str) -> None:
    """250 mutations of what, 1.2 creatinine in what: missing."""
    with pytest.raises(UnknownUnitError) as error:
        converted(key, 1)
    assert error.value.code == "unit-missing"


@pytest.mark.parametrize("key", ["lab_inr", "func_ecog", "lab_ph_blood", "path_nodes_positive"])
def test_a_number_without_dimension_needs_no_unit(key: str) -> None:
    """Counts, scores and ratios."""
    assert converted(key, 2) == 2


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("lab_creatinine", "ml/min"),
        ("lab_creatinine", "mg/g"),
        ("lab_creatinine", "MG/DL"),
        ("lab_sodium", "mg/dL"),
        ("vital_weight", "cm"),
        ("lab_calcium_ionized", "umol/L"),
        ("lab_glucose", "%"),
        ("lab_inr", "%"),
        ("lab_wbc", "g/L"),
    ],
)
def test_a_unit_of_another_quantity_is_unknown(key: str, unit: str) -> None:
    """It is neither converted nor ignored."""
    with pytest.raises(UnknownUnitError) as error:
        converted(key, 1, code=unit)
    assert (error.value.code, error.value.spelling) == ("unit-unknown", unit)


def test_code_and_text_that_differ_are_a_conflict() -> None:
    """A factor of ten between them is somebody's error."""
    with pytest.raises(UnknownUnitError) as error:
        converted("lab_crp", 1.5, code="mg/L", unit="mg/dL")
    assert error.value.code == "unit-conflict"


def test_code_and_text_may_spell_one_unit_differently() -> None:
    """10*9/L beside Gpt/l is one unit."""
    assert converted("lab_wbc", 5, code="10*9/L", unit="Gpt/l") == 5


def test_a_text_does_not_overrule_a_ucum_code_that_is_unknown() -> None:
    """The code is what machines agreed on; a local code is none."""
    with pytest.raises(UnknownUnitError):
        converted("lab_creatinine", 1, code="mmol/mol", unit="mg/dL")
    assert converted("lab_creatinine", 1, code="17", unit="mg/dL", system="urn:local") == 1


def test_an_unknown_unit_is_shown_without_what_no_unit_holds() -> None:
    """At most 40 characters, no markup."""
    with pytest.raises(UnknownUnitError) as error:
        converted("lab_crp", 1, unit="<b>mg</b>;" + "x" * 60)
    assert error.value.spelling.startswith("bmg/b")
    assert len(error.value.spelling) <= 40


def test_a_row_for_the_parameter_wins_over_one_for_any(tmp_path: Path) -> None:
    """Molar masses belong to a parameter; a row of scope none converts nothing."""
    table = tmp_path / "units.csv"
    table.write_text(
        "spelling,ucum,scope,factor,offset,note\nx,mg/dL,any,2,0,\nx,mg/dL,lab_glucose,3,0,\ny,mg/dL,none,,,\n"
    )
    read = read_units(table)
    glucose, calcium = (read.conversion(SCHEMA[key], "x") for key in ("lab_glucose", "lab_calcium"))
    assert glucose is not None
    assert calcium is not None
    assert (glucose(1), calcium(1)) == (3, 2)
    assert read.conversion(SCHEMA["lab_glucose"], "y") is None


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("mg/dl,mg/dL,any,one,0,", "factor: 'one' is no number"),
        ("mg/dl,mg/dL,any,1,,", "offset: '' is no number"),
        ("mg/dl,mg/dL,any,1", "4 cells, and the head has 6"),
        ("mg/dl,mg/dL,lab_albumn,1,0,", "scope: 'lab_albumn' is no parameter, nor any or none"),
    ],
)
def test_a_wrong_row_of_a_site_is_told_by_its_line(tmp_path: Path, row: str, told: str) -> None:
    """File, line and column."""
    table = tmp_path / "units.csv"
    table.write_text(f"spelling,ucum,scope,factor,offset,note\nmg/dl,mg/dL,any,1,0,\n{row}\n", encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        read_units(table)
    assert str(caught.value).startswith(f"units.csv: line 3: {told}")
