"""A value that no training patient had is suspected only where an error of unit explains it."""

import pytest

from fhir_mappings.unit_errors import errors_of
from models.manifest import TrainedInput
from service.unit_suspicion import suspected_units


def trained(low: float, high: float, usual: tuple[float, float] | None) -> TrainedInput:
    return TrainedInput(1000, "quantile", low, high, usual=usual)


CREATININE = {"lab_creatinine": trained(0.3, 20, (0.5, 4))}


@pytest.mark.parametrize(
    ("value", "sent"),
    [(106.0, "umol/L"), (1.1, None), (19.0, None), (0.01, "mg/dL"), (4000.0, None)],
)
def test_a_known_error_explains_a_value(value: float, sent: str | None) -> None:
    """106 mg/dL of creatinine are 1.2 in umol/L; 19 was seen in training; 4,000 is usual in no unit."""
    found = suspected_units({"lab_creatinine": value}, CREATININE)
    assert [one.error.sent for one in found] == ([sent] if sent else [])


def test_the_right_value_is_named() -> None:
    """What would be right is the number in the unit that was meant."""
    [found] = suspected_units({"lab_creatinine": 106.0}, CREATININE)
    assert found.right == pytest.approx(106 / 88.4)
    assert (found.error.sent, found.error.read) == ("umol/L", "mg/dL")


def test_an_error_within_the_usual_spread_explains_nothing() -> None:
    """A marker that spans decades is as likely high as ten times too high."""
    marker = {"lab_afp": trained(0.5, 50_000, (1, 20_000))}
    assert suspected_units({"lab_afp": 60_000.0}, marker) == ()
    narrow = {"lab_afp": trained(0.5, 9, (1, 8))}
    assert len(suspected_units({"lab_afp": 60.0}, narrow)) == 1


def test_only_trained_measured_continuous_values_are_suspected() -> None:
    """What has no weights, is computed, or has levels is left alone."""
    assert suspected_units({"lab_creatinine": 106.0}, {}) == ()
    assert suspected_units({"lab_creatinine": 106.0}, {"lab_creatinine": trained(0.3, 20, None)}) == ()
    assert suspected_units({"ratio_albi": -30.0}, {"ratio_albi": trained(-4, 0, (-3.5, -0.5))}) == ()


@pytest.mark.parametrize("key", ["lab_creatinine", "lab_hba1c", "vital_temperature", "lab_sodium", "lab_albumin"])
def test_errors_undo_each_other(key: str) -> None:
    """The right value follows from the wrong one, and every error has its inverse in the list."""
    errors = errors_of(key)
    for error in errors:
        assert error.right(error.wrong(7.0)) == pytest.approx(7.0)
        assert any(other.wrong(error.wrong(7.0)) == pytest.approx(7.0, rel=1e-4) for other in errors)


def test_a_factor_of_ten_stands_once() -> None:
    """g/L for g/dL is a factor of ten already; every other parameter can have its decimal point slip."""
    assert [error.factor for error in errors_of("lab_albumin")] == [10.0, 0.1]
    assert [error.is_slip for error in errors_of("lab_sodium")] == [True, True]
    assert sum(error.is_slip for error in errors_of("lab_creatinine")) == 2
