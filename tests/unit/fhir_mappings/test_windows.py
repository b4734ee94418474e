"""For how long a value counts in an emergency, and which of several stands for it."""

import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.provenance import explain
from fhir_mappings.windows import BEFORE_ARRIVAL
from tests.unit.fhir_mappings.resources_of import (
    AT,
    Resource,
    ago,
    arrival,
    codes,
    component,
    condition,
    documented,
    encoded,
    encounter,
    finding,
    given,
    measured,
    observation,
    record,
    reference,
    refuted,
    value,
)

HOUR = 1 / 24
PULSE, ALBUMIN, LACTATE, PNEUMONIA = "vital_heart_rate", "lab_albumin", "lab_lactate", "comorb_pneumonia"


def pulse(beats: float, hours: float, **members: object) -> Resource:
    return measured("8867-4", beats, "/min", hours * HOUR, **members)


def albumin(grams: float, days: float, **members: object) -> Resource:
    return measured("1751-7", grams, "g/dL", days, **members)


@pytest.mark.parametrize(
    ("hours", "clinic", "emergency"), [(0.1, 90, 90), (6, 90, 90), (6.1, 90, None), (160, 90, None), (169, None, None)]
)
def test_vital_signs_count_for_six_hours(hours: float, clinic: float | None, emergency: float | None) -> None:
    """For seven days in the clinic."""
    assert value(PULSE, pulse(90, hours)) == clinic
    assert value(PULSE, pulse(90, hours), emergency=True) == emergency


@pytest.mark.parametrize(
    ("days", "clinic", "emergency"), [(6.9, 3, 3), (7.1, 3, None), (29, 3, None), (31, None, None)]
)
def test_laboratory_values_from_before_the_arrival_count_for_a_week(
    days: float, clinic: float | None, emergency: float | None
) -> None:
    """For thirty days in the clinic; the emergency's are marked, the clinic's are not."""
    assert value(ALBUMIN, albumin(3, days)) == clinic
    assert value(ALBUMIN, albumin(3, days), emergency=True) == emergency
    if emergency is not None:
        assert finding(ALBUMIN, albumin(3, days), emergency=True).flags == (BEFORE_ARRIVAL,)
    if clinic is not None:
        assert finding(ALBUMIN, albumin(3, days)).flags == ()


def test_a_row_that_is_stricter_than_a_week_holds_as_it_is() -> None:
    """Lactate counts for a day, blood gases for six hours, though they are of this stay."""
    old, new = measured("2524-7", 4, "mmol/L", 1.1), measured("2524-7", 2, "mmol/L", 0.9)
    stay = arrival(48)
    assert value(LACTATE, old, stay) is None
    assert value(LACTATE, new, stay) == 2
    acid = measured("2744-1", 7.2, "[pH]", 0.3)
    assert value("lab_ph_blood", acid) == 7.2
    assert value("lab_ph_blood", acid, stay) is None


def test_a_laboratory_value_of_this_stay_counts_as_long_as_in_the_clinic() -> None:
    """The albumin of the admission ten days ago, unmarked; not the one of eleven days ago, from before it."""
    stay = [
        encounter("EMER", days=10.1, length=0.1),
        encounter("IMP", days=10, length=0, status="in-progress", period={"start": ago(10)}),
    ]
    found = finding(ALBUMIN, albumin(3, 9.9), albumin(4, 11), *stay)
    assert (found.value, found.flags) == (3, ())
    assert value(ALBUMIN, albumin(4, 11), *stay) is None


def test_what_was_found_since_the_arrival_stands_before_what_is_older() -> None:
    """Also before the central laboratory's result of the same day, which in the clinic would stand."""
    central = measured("2345-7", 90, "mg/dL", 8 * HOUR)
    strip = measured("41653-7", 300, "mg/dL", 1 * HOUR)
    assert value("lab_glucose", central, strip) == 90
    assert value("lab_glucose", central, strip, arrival(2)) == 300
    assert finding("lab_glucose", central, arrival(2)).flags == (BEFORE_ARRIVAL,)


def test_a_day_without_a_time_is_not_before_an_arrival_of_that_day() -> None:
    """A sample of today is of this contact; one of yesterday is not."""
    today, yesterday = (albumin(3, 1, effectiveDateTime=ago(days)[:10]) for days in (0, 1))
    assert finding(ALBUMIN, today, arrival(2)).flags == ()
    assert finding(ALBUMIN, yesterday, arrival(2)).flags == (BEFORE_ARRIVAL,)


def test_a_derived_value_is_marked_where_a_part_is() -> None:
    """ALBI of an old albumin, and the filtration rate of an old creatinine."""
    old = [albumin(3, 0.5), measured("1975-2", 1, "mg/dL", 1 * HOUR), measured("2160-0", 1, "mg/dL", 3)]
    found = encoded(*old, arrival(2)).findings
    assert [key for key in ("ratio_albi", "lab_egfr_ckdepi") if BEFORE_ARRIVAL in found[key].flags] == [
        "ratio_albi", "lab_egfr_ckdepi",
    ]  # fmt: skip
    assert found["lab_bilirubin_total"].flags == ()


def test_the_first_vital_signs_since_the_arrival_stand_for_six_hours() -> None:
    """Not the worst and not the newest; those of the ambulance only where there are no others, and marked."""
    set_by_set = [pulse(70, 5), pulse(120, 3.5), pulse(150, 2), pulse(100, 1)]
    assert value(PULSE, *set_by_set, arrival(4)) == 120
    assert value(PULSE, *reversed(set_by_set), arrival(4)) == 120
    found = finding(PULSE, pulse(80, 5.5), pulse(70, 5), arrival(4))
    assert (found.value, found.flags) == (70, (BEFORE_ARRIVAL,))


def test_later_the_newest_vital_signs_stand() -> None:
    """Seven hours after the arrival, and in the clinic."""
    set_by_set = [pulse(120, 5.5), pulse(150, 2), pulse(100, 1)]
    assert value(PULSE, *set_by_set, arrival(7)) == 100
    assert value(PULSE, *set_by_set) == 100


def test_vital_signs_that_change_contradict_nothing() -> None:
    """Two of a day that differ by more than a fifth are no conflict in an emergency."""
    assert "same-day-conflict" in codes(pulse(70, 3), pulse(120, 1))
    assert "same-day-conflict" not in codes(pulse(70, 3), pulse(120, 1), arrival(4))


def test_a_correction_replaces_the_first_value() -> None:
    """At the same moment the corrected one stands."""
    wrong, right = pulse(180, 3), pulse(118, 3, status="corrected")
    assert value(PULSE, wrong, right, pulse(100, 1), arrival(4)) == 118


def test_pressure_and_coma_score_are_of_the_first_set_too() -> None:
    """The mean of the first pressures, the sum of the first parts."""

    def pressure(systolic: float, diastolic: float, hours: float) -> Resource:
        parts = [
            component(code, valueQuantity={"value": number, "unit": "mmHg"})
            for code, number in (("8480-6", systolic), ("8462-4", diastolic))
        ]
        return observation("85354-9", days=hours * HOUR, component=parts)

    def coma(eyes: int, hours: float) -> Resource:
        parts = [
            component(code, valueInteger=number) for code, number in (("9267-6", eyes), ("9270-0", 4), ("9268-4", 6))
        ]
        return observation("9269-2", days=hours * HOUR, component=parts)

    sets = [pressure(80, 50, 3), pressure(130, 70, 1), coma(2, 3), coma(4, 1)]
    assert value("vital_map", *sets, arrival(4)) == 60
    assert value("func_gcs", *sets, arrival(4)) == 12
    assert value("func_gcs", *sets) == 14
    reported = observation("9269-2", valueInteger=9, days=3 * HOUR)
    assert value("func_gcs", reported, coma(4, 1), arrival(4)) == 9


def test_a_reported_score_from_before_the_arrival_gives_way_to_a_computed_one_since() -> None:
    """The ambulance's coma score, and the parts of the department."""
    reported = observation("9269-2", valueInteger=9, days=5 * HOUR)
    parts = [
        observation(code, valueInteger=number, days=1 * HOUR)
        for code, number in (("9267-6", 4), ("9270-0", 5), ("9268-4", 6))
    ]
    found = finding("func_gcs", reported, *parts, arrival(4))
    assert (found.value, found.flags) == (15, ())


def test_height_weight_and_performance_hold_as_in_the_clinic() -> None:
    """Height ever, weight and performance for 30 days: how the patient was before this illness."""
    known = [
        measured("8302-2", 170, "cm", 900),
        measured("29463-7", 70, "kg", 29),
        observation("89247-1", valueInteger=2, days=29),
    ]
    found = encoded(*known, arrival(2)).findings
    assert (found["vital_height"].value, found["vital_weight"].value, found["func_ecog"].value) == (170, 70, 2)
    assert not [f for f in found.values() if f.flags]
    assert value("vital_weight", measured("29463-7", 70, "kg", 31), arrival(2)) is None


@pytest.mark.parametrize(("days", "clinic", "emergency"), [(6.5, 1, 1), (7.5, 1, None), (31, None, None)])
def test_an_acute_disease_counts_for_a_week(days: float, clinic: float | None, emergency: float | None) -> None:
    """For thirty days in the clinic."""
    assert value(PNEUMONIA, condition("J18.9", days=days)) == clinic
    assert value(PNEUMONIA, condition("J18.9", days=days), emergency=True) == emergency


def test_an_acute_disease_of_this_stay_counts() -> None:
    """Pneumonia of the ninth day before, in hospital for ten."""
    stay = [
        encounter("EMER", days=10.1, length=0.1),
        encounter("IMP", days=10, length=0, status="in-progress", period={"start": ago(10)}),
    ]
    assert value(PNEUMONIA, condition("J18.9", days=9), *stay) == 1
    assert value(PNEUMONIA, condition("J18.9", days=11), *stay) is None


def test_an_acute_disease_is_open_until_the_stay_is_coded() -> None:
    """A visit of last week proves no absence now, a refuted diagnosis does, and so does the coded contact of today."""
    last_week = [
        encounter(id="visit", days=4),
        condition("S93.4", encounter=reference("Encounter/visit"), days=4),
    ]
    assert value(PNEUMONIA, *last_week) == 0
    assert value(PNEUMONIA, *last_week, arrival(2)) is None
    assert value("comorb_chf", *last_week, arrival(2)) == 0
    assert value(PNEUMONIA, *last_week, refuted("J18.9", days=0.05), arrival(2)) == 0
    coded_today = [
        encounter("EMER", id="er", days=0.5, length=0.2),
        encounter("IMP", length=0, status="in-progress", period={"start": ago(0.3)}),
        condition("S93.4", encounter=reference("Encounter/er"), days=0.4),
    ]
    assert value(PNEUMONIA, *coded_today) == 0


def test_a_stay_that_is_going_on_and_a_call_of_the_service_have_one_answer() -> None:
    """Whoever asks, the values are the same."""
    chart = [albumin(3, 3), pulse(120, 1.5), pulse(90, 0.5), condition("J18.9", days=9), *documented(), arrival(2)]
    assert encoded(*chart).findings == encoded(*chart, emergency=True).findings
    assert encoded(*chart).unplanned_since == encoded(*chart, emergency=True).unplanned_since


def test_without_a_known_arrival_it_is_taken_to_be_six_hours_ago() -> None:
    """What is older is marked."""
    found = encoded(albumin(3, 5 * HOUR), measured("2951-2", 140, "mmol/L", 7 * HOUR), emergency=True).findings
    assert found[ALBUMIN].flags == ()
    assert found["lab_sodium"].flags == (BEFORE_ARRIVAL,)


def test_medication_holds_as_in_the_clinic() -> None:
    """The emergency windows of its rows are those of the clinic."""
    dose = given("J01CR05", days=29)
    assert value("med_antibiotic_30d", dose) == value("med_antibiotic_30d", dose, emergency=True) == 1


def test_thoroughness_changes_no_value_of_an_emergency() -> None:
    """Whether old results are read or not."""
    chart = record(*(pulse(60 + hours, hours) for hours in range(1, 12)), albumin(3, 20), albumin(2, 6), arrival(4))
    schema = catalogue().schema
    assert encode(chart, schema, AT).findings == encode(chart, schema, AT, thorough=True).findings


def test_why_a_parameter_is_empty_speaks_of_the_emergency() -> None:
    """The window that held, and that an acute disease is open."""
    chart = record(albumin(3, 20), arrival(2), *documented())
    whole = explain(chart, encode(chart, catalogue().schema, AT, thorough=True), AT)
    reasons = {slot.feature: slot.reason for slot in whole.empty}
    assert reasons[ALBUMIN].startswith("older than 7 days")
    assert reasons[PNEUMONIA].startswith("not recorded; in an emergency")
