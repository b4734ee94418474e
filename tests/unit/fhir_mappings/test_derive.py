"""Parameters that are computed from others: one sample, one set, one patient."""

from typing import Any

import pytest

from tests.unit.fhir_mappings.resources_of import (
    Resource,
    codes,
    encoded,
    finding,
    measured,
    observation,
    patient,
    value,
)

DAY, HOUR, MINUTE = 1.0, 1 / 24, 1 / 1440


def sbp(number: float = 120, days: float = 1) -> Resource:
    return measured("8480-6", number, "mm[Hg]", days)


def dbp(number: float = 75, days: float = 1) -> Resource:
    return measured("8462-4", number, "mm[Hg]", days)


def neutrophils(number: float = 6, days: float = 1) -> Resource:
    return measured("751-8", number, "10*9/L", days)


def lymphocytes(number: float = 2, days: float = 1) -> Resource:
    return measured("731-0", number, "10*9/L", days)


def leukocytes(number: float = 10, days: float = 1) -> Resource:
    return measured("6690-2", number, "10*9/L", days)


def share(number: float = 65, days: float = 1) -> Resource:
    return measured("770-8", number, "%", days)


def weight(number: float, days: float, **members: Any) -> Resource:
    return measured("29463-7", number, "kg", days, **members)


def height(number: float = 175, days: float = 1) -> Resource:
    return measured("8302-2", number, "cm", days)


@pytest.mark.parametrize(("apart", "expected"), [(0, 90), (30 * MINUTE, 90), (31 * MINUTE, None)])
def test_a_set_of_vital_signs_is_taken_within_30_minutes(apart: float, expected: float | None) -> None:
    """A pressure of the morning and one of the evening have no mean."""
    assert value("vital_map", sbp(days=1 + apart), dbp()) == expected


@pytest.mark.parametrize(("apart", "expected"), [(0, 3), (24 * HOUR, 3), (24 * HOUR + MINUTE, None)])
def test_one_sample_is_taken_within_24_hours(apart: float, expected: float | None) -> None:
    """Neutrophils of today over lymphocytes of last week are no ratio."""
    assert value("ratio_nlr", neutrophils(days=1 + apart), lymphocytes()) == expected


def test_dates_without_a_time_are_one_set_on_one_day_only() -> None:
    """Nothing says more."""
    day, other = {"effectiveDateTime": "2024-05-18"}, {"effectiveDateTime": "2024-05-17"}
    assert value("ratio_nlr", neutrophils() | day, lymphocytes() | day) == 3
    assert value("ratio_nlr", neutrophils() | day, lymphocytes() | other) is None
    timed = {"effectiveDateTime": "2024-05-17T10:00:00Z"}
    assert value("vital_map", sbp() | day, dbp() | timed) is None


def test_a_missing_part_or_a_denominator_of_zero_makes_no_ratio() -> None:
    """Missing, never infinite and never 0."""
    assert value("ratio_nlr", neutrophils()) is None
    assert value("ratio_nlr", neutrophils(), lymphocytes(0)) is None
    assert value("ratio_albi", measured("1751-7", 4, "g/dL")) is None


def test_a_formula_uses_canonical_units_and_names_its_parts() -> None:
    """ALBI of 17.1 umol/L and 40 g/L."""
    parts = [measured("1975-2", 17.1, "umol/L", id="b"), measured("1751-7", 40, "g/L", id="a")]
    found = finding("ratio_albi", *parts)
    assert found.value == pytest.approx(-2.586, abs=0.002)
    assert found.sources == ("Observation/b", "Observation/a")


def test_the_anion_gap_is_of_one_sample() -> None:
    """140 - 104 - 24."""
    parts = [measured("2951-2", 140, "mmol/L"), measured("2075-0", 104, "mmol/L"), measured("1963-8", 24, "mmol/L")]
    assert value("ratio_anion_gap", *parts) == 12


def test_filtration_needs_creatinine_age_and_sex() -> None:
    """CKD-EPI 2021 of a woman of 64 with 1.0 mg/dL is 63."""
    creatinine = measured("2160-0", 1.0, "mg/dL", id="cr")
    assert value("lab_egfr_ckdepi", creatinine) == pytest.approx(63.1, abs=0.5)
    assert value("lab_egfr_ckdepi", creatinine, patient(gender="male")) == pytest.approx(84.0, abs=0.5)
    assert value("lab_egfr_ckdepi", creatinine, patient(gender="other")) is None
    assert finding("lab_egfr_ckdepi", creatinine).sources == ("Observation/cr", "Patient/p")


@pytest.mark.parametrize(("days", "expected"), [(1, 22.86), (3000, 22.86)])
def test_body_mass_index_takes_a_height_of_any_date(days: float, expected: float) -> None:
    """It is as old as the weight."""
    found = finding("vital_bmi", weight(70, 2), height(days=days))
    assert found.value == pytest.approx(expected, abs=0.01)
    assert found.effective == finding("vital_weight", weight(70, 2)).effective


def test_a_computed_index_stands_before_a_reported_one() -> None:
    """Which serves where its parts are missing."""
    reported = measured("39156-5", 30, "kg/m2")
    assert value("vital_bmi", reported, weight(70, 2), height()) == pytest.approx(22.86, abs=0.01)
    assert value("vital_bmi", reported, weight(70, 40), height()) == 30


def test_an_absolute_count_stands_before_a_percentage_of_the_same_sample() -> None:
    """Unless the percentage is of a newer one."""
    assert value("lab_neutrophils_abs", share(), leukocytes()) == 6.5
    assert value("lab_neutrophils_abs", neutrophils(6), share(), leukocytes()) == 6
    assert value("lab_neutrophils_abs", neutrophils(6, days=20), share(), leukocytes()) == 6.5
    assert value("lab_neutrophils_abs", share(days=3), leukocytes()) is None


def test_a_reported_mean_pressure_stands_unless_a_newer_set_is_there() -> None:
    """The latest set, reported or computed."""
    reported = measured("8478-0", 100, "mm[Hg]", 1)
    assert value("vital_map", reported, sbp(), dbp()) == 100
    assert value("vital_map", measured("8478-0", 100, "mm[Hg]", 3), sbp(), dbp()) == 90


def test_an_old_part_makes_an_old_value() -> None:
    """Parts without a window of their own do not make it young."""
    parts = [observation(code, valueInteger=n, days=10) for code, n in (("9267-6", 4), ("9270-0", 5), ("9268-4", 6))]
    assert value("func_gcs", *parts) is None
    fresh = [observation(code, valueInteger=n) for code, n in (("9267-6", 4), ("9270-0", 5), ("9268-4", 6))]
    assert value("func_gcs", *fresh) == 15


def test_what_marks_a_part_marks_the_result() -> None:
    """Preliminary neutrophils make a preliminary ratio."""
    early = neutrophils() | {"status": "preliminary"}
    assert finding("ratio_nlr", early, lymphocytes()).flags == ("preliminary",)


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [((80, 180), -12.5), ((80, 122), -12.5), ((80, 243), -12.5), ((80, 121), None), ((80, 244), None)],
)
def test_weight_is_compared_with_that_of_four_to_eight_months_before(
    earlier: tuple[float, float], expected: float | None
) -> None:
    """In percent of the earlier one."""
    assert value("vital_weight_change_6mo", weight(70, 0), weight(*earlier)) == expected


def test_of_several_earlier_weights_the_one_nearest_to_half_a_year_counts() -> None:
    """Whatever the order of the record; of one time the final before the preliminary."""
    several = [weight(70, 0), weight(100, 182.6), weight(80, 181.6), weight(90, 240)]
    assert value("vital_weight_change_6mo", *several) == value("vital_weight_change_6mo", *reversed(several)) == -12.5
    twice = [weight(70, 0), weight(140, 180, status="preliminary"), weight(80, 180)]
    assert value("vital_weight_change_6mo", *twice) == value("vital_weight_change_6mo", *reversed(twice)) == -12.5


CHANGES = [
    ("lab_hemoglobin_change_90d", "718-7", "g/dL", 13, 11, 2),
    ("lab_albumin_change_90d", "1751-7", "g/dL", 3, 4, -1),
    ("lab_creatinine_change_90d", "2160-0", "mg/dL", 2, 1, 2),
    ("func_ecog_change_90d", "89247-1", "{score}", 3, 1, 2),
]


@pytest.mark.parametrize(("key", "code", "unit", "now", "then", "change"), CHANGES)
@pytest.mark.parametrize(("days", "counts"), [(29.9, False), (30, True), (90, True), (90.1, False)])
def test_a_value_is_compared_with_one_of_30_to_90_days_before(
    key: str, code: str, unit: str, now: float, then: float, change: float, days: float, counts: bool
) -> None:
    """The difference; of creatinine the quotient."""
    pair = measured(code, now, unit, 0), measured(code, then, unit, days)
    assert value(key, *pair) == (change if counts else None)


@pytest.mark.parametrize(("key", "code", "unit", "now", "then", "change"), CHANGES[:2] + CHANGES[3:])
def test_of_several_the_one_nearest_to_60_days_before_counts(
    key: str, code: str, unit: str, now: float, then: float, change: float
) -> None:
    """On either side of it."""
    near, farther = measured(code, then, unit, 59.6), measured(code, now, unit, 60.5)
    assert value(key, measured(code, now, unit, 0), near, farther) == change
    near, farther = measured(code, then, unit, 60.4), measured(code, now, unit, 59.5)
    assert value(key, measured(code, now, unit, 0), near, farther) == change


def test_creatinine_is_compared_with_its_lowest() -> None:
    """A rise shows against the best value of 30 to 90 days before."""
    results = [
        measured("2160-0", number, "mg/dL", days) for number, days in ((2.0, 0), (1.5, 60), (1.0, 85), (0.5, 95))
    ]
    assert value("lab_creatinine_change_90d", *results) == 2


def test_a_change_names_both_values() -> None:
    """And needs a present one."""
    pair = [weight(70, 0, id="now"), weight(80, 180, id="then")]
    assert finding("vital_weight_change_6mo", *pair).sources == ("Observation/now", "Observation/then")
    assert value("vital_weight_change_6mo", weight(70, 40), weight(80, 220)) is None


def test_an_implausible_result_is_not_used() -> None:
    """Parts may be possible and their ratio not."""
    assert value("ratio_nlr", neutrophils(200), lymphocytes(0.1)) is None
    assert "ratio_nlr" not in encoded(neutrophils(200), lymphocytes(0.1)).findings
    assert "unit-unknown" not in codes(neutrophils(200), lymphocytes(0.1))
