"""Formulas against values worked out by hand or printed in their papers."""

from datetime import date

import pytest

from fhir_mappings import formulas


def test_body_mass_index_divides_by_metres_squared() -> None:
    """The body mass index of 70 kg at 175 cm is 22.86."""
    assert formulas.bmi(70, 175) == pytest.approx(22.857, abs=1e-3)
    assert formulas.bmi(70, 0) is None


def test_mean_arterial_pressure_weighs_diastole_twice() -> None:
    """The mean pressure of 120/80 is 93.3."""
    assert formulas.mean_arterial_pressure(120, 80) == pytest.approx(93.333, abs=1e-3)


@pytest.mark.parametrize(
    ("creatinine", "age", "female", "expected"),
    [(0.7, 50, True, 105.3), (0.9, 50, False, 104.0), (1.4, 60, False, 57.3), (0.5, 30, True, 129.3)],
)
def test_egfr_follows_the_2021_equation(creatinine: float, age: float, female: bool, expected: float) -> None:
    """The filtration rate equals the CKD-EPI 2021 equation on both sides of its knot."""
    assert formulas.egfr_ckd_epi_2021(creatinine, age, female) == pytest.approx(expected, abs=0.5)


def test_egfr_refuses_a_creatinine_of_zero() -> None:
    """No creatinine, no filtration rate."""
    assert formulas.egfr_ckd_epi_2021(0, 50, True) is None


def test_albi_takes_milligrams_and_grams_per_decilitre() -> None:
    """The score of bilirubin 1 mg/dL (17.1 umol/L) and albumin 4 g/dL (40 g/L) is grade 2 at its border, -2.59."""
    assert formulas.albi(1, 4) == pytest.approx(-2.586, abs=1e-3)
    assert formulas.albi(0, 4) is None


def test_ratios_need_a_denominator() -> None:
    """A lymphocyte count of zero gives no ratio."""
    assert formulas.nlr(6, 2) == 3
    assert formulas.nlr(6, 0) is None


def test_anion_gap_leaves_potassium_out() -> None:
    """The gap of 140, 104 and 24 is 12."""
    assert formulas.anion_gap(140, 104, 24) == 12


def test_charlson_drops_the_milder_liver_disease() -> None:
    """Severe liver disease counts 4 whether or not the mild form is coded too."""
    assert formulas.charlson({"comorb_liver_severe": True, "comorb_liver_mild": True}) == 4
    assert formulas.charlson({"comorb_liver_mild": True, "comorb_chf": True, "comorb_mi": True}) == 4
    assert formulas.charlson({"comorb_chf": False}) == 0


@pytest.mark.parametrize(
    ("primary", "secondary", "expected"),
    [
        (3, 3, 1),
        (3, 4, 2),
        (4, 3, 3),
        (4, 4, 4),
        (3, 5, 4),
        (5, 3, 4),
        (4, 5, 5),
        (5, 5, 5),
        (2, 5, None),
        (0, 3, None),
    ],
)
def test_isup_needs_the_order_of_the_patterns(primary: int, secondary: int, expected: int | None) -> None:
    """3+4 and 4+3 are different grade groups."""
    assert formulas.isup_of_gleason(primary, secondary) == expected


@pytest.mark.parametrize(("total", "expected"), [(6, 1), (7, None), (8, 4), (9, 5), (10, 5), (11, None)])
def test_a_gleason_sum_of_seven_decides_nothing(total: int, expected: int | None) -> None:
    """A sum of 7 alone gives no grade group."""
    assert formulas.isup_of_gleason_sum(total) == expected


@pytest.mark.parametrize(
    ("karnofsky", "ecog"),
    [(100, 0), (90, 1), (80, 1), (70, 2), (60, 2), (50, 3), (40, 3), (30, 4), (10, 4), (0, None), (75, None)],
)
def test_karnofsky_crosswalk(karnofsky: float, ecog: int | None) -> None:
    """Karnofsky maps to ECOG by the catalogue's crosswalk; death and values between tens map to nothing."""
    assert formulas.ecog_of_karnofsky(karnofsky) == ecog


def test_age_counts_completed_years() -> None:
    """The day before the birthday is still the younger age, leap days included."""
    assert formulas.completed_years(date(1960, 5, 2), date(2020, 5, 1)) == 59
    assert formulas.completed_years(date(1960, 5, 2), date(2020, 5, 2)) == 60
    assert formulas.completed_years(date(1960, 2, 29), date(2021, 2, 28)) == 60
