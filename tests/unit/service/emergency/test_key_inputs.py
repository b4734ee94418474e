"""The 14 key inputs of a first look."""

from service.emergency.key_inputs import KEY_INPUTS, key_inputs
from tests.unit.fhir_mappings.resources_of import (
    UICC,
    arrival,
    coded,
    encoded,
    measured,
    observation,
    patient,
    tumour,
)

HOUR = 1 / 24


def test_there_are_fourteen_in_the_order_of_the_review() -> None:
    """Who it is, how the patient is now, how he was before, what the laboratory says."""
    assert list(KEY_INPUTS) == [
        "tumour_and_extent", "age", "consciousness", "respiratory_rate", "spo2_with_oxygen", "blood_pressure", "pulse",
        "temperature", "function", "albumin", "creatinine_or_urea", "lactate", "neutrophils", "bilirubin",
    ]  # fmt: skip


def test_known_and_missing_together_are_all() -> None:
    """In order."""
    found = key_inputs(encoded(measured("1751-7", 3, "g/dL", HOUR), measured("8867-4", 90, "/min", HOUR), arrival(2)))
    assert found.known == ("age", "pulse", "albumin")
    assert [key for key in KEY_INPUTS if key in {*found.known, *found.missing}] == list(KEY_INPUTS)
    assert not {*found.known} & {*found.missing}


def test_a_saturation_counts_with_its_oxygen_and_a_tumour_with_its_extent() -> None:
    """One without the other is half an input."""
    half = key_inputs(encoded(tumour(), measured("2708-6", 95, "%", HOUR), arrival(2)))
    assert {"tumour_and_extent", "spo2_with_oxygen"} <= {*half.missing}
    flow, extent = measured("3151-8", 2, "L/min", HOUR), coded("21907-1", "M1", UICC, days=5)
    whole = key_inputs(encoded(tumour(), extent, measured("2708-6", 95, "%", HOUR), flow, arrival(2)))
    assert {"tumour_and_extent", "spo2_with_oxygen"} <= {*whole.known}


def test_either_of_two_will_do() -> None:
    """Mean or systolic pressure, performance or dependencies, creatinine or urea."""
    either = [
        measured("8478-0", 70, "mm[Hg]", HOUR),
        observation("89247-1", valueInteger=2, days=3),
        measured("3094-0", 30, "mg/dL", HOUR),
    ]
    assert {"blood_pressure", "function", "creatinine_or_urea"} <= {*key_inputs(encoded(*either, arrival(2))).known}


def test_what_is_too_old_for_an_emergency_is_missing() -> None:
    """Vital signs of this morning, no lactate of yesterday's yesterday."""
    old = [measured("8867-4", 90, "/min", 7 * HOUR), measured("2524-7", 2, "mmol/L", 1.5), patient(birthDate=None)]
    assert {"pulse", "lactate", "age"} <= {*key_inputs(encoded(*old, arrival(2))).missing}
