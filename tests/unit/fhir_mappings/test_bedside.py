"""The newest bedside readings, in the shapes in which emergency systems send them."""

import pytest

from fhir_mappings.bedside import Bedside
from fhir_mappings.concepts import LOINC, OWN, SNOMED
from tests.unit.fhir_mappings.resources_of import (
    Resource,
    arrival,
    coded,
    codes,
    component,
    concept,
    encoded,
    measured,
    observation,
)

HOUR = 1 / 24
ON_OXYGEN, THERAPY, ROOM_AIR = "371825009", "57485005", "722742002"
SCALE_1, SCALE_2 = "1104311000000102", "1104321000000108"


def bedside(*resources: Resource) -> Bedside:
    return encoded(*resources, arrival(4)).bedside


def read(name: str, *resources: Resource) -> float | None:
    found = getattr(bedside(*resources), name)
    return None if found is None else found.value


def stated(code: str, hours: float = 1, **members: object) -> Resource:
    return observation(code, SNOMED, hours * HOUR, **members)


def quantity(value: float, unit: str) -> dict[str, object]:
    return {"value": value, "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (stated(ON_OXYGEN), 1),  # CareConnect: the code alone
        (stated(ROOM_AIR), 0),
        (stated(ON_OXYGEN, valueCodeableConcept=concept("373066001", SNOMED)), 1),  # Dutch acute care: yes and no
        (stated(ON_OXYGEN, valueCodeableConcept=concept("373067005", SNOMED)), 0),
        (stated(ROOM_AIR, valueCodeableConcept=concept("373067005", SNOMED)), 1),
        (stated(THERAPY, valueBoolean=True), 1),  # Czech vital signs
        (stated(THERAPY, valueBoolean=False), 0),
        (stated(THERAPY), None),  # the code alone may be an order
        (stated(ON_OXYGEN, valueQuantity=quantity(4, "L/min")), 1),  # England: the flow
        (stated(ON_OXYGEN, valueQuantity=quantity(0, "L/min")), 0),
        (stated(ON_OXYGEN, valueString="by mask"), None),
        (stated(ON_OXYGEN, dataAbsentReason=concept("unknown", "x")), None),
        (stated(ON_OXYGEN, status="entered-in-error"), None),
        (measured("3151-8", 2, "L/min", HOUR), 1),
        (measured("3151-8", 2000, "mL/min", HOUR), 1),
        (measured("3151-8", 0, "L/min", HOUR), 0),
        (measured("3150-0", 40, "%", HOUR), 1),
        (measured("19994-3", 0.4, "1", HOUR), 1),
        (measured("3150-0", 21, "%", HOUR), 0),
        (measured("71835-3", 0.21, "1", HOUR), 0),
        (observation("250774007", SNOMED, HOUR, valueQuantity=quantity(28, "%")), 1),
    ],
)
def test_oxygen_or_air(resource: Resource, expected: float | None) -> None:
    """By a code alone, yes and no, a boolean, a flow, or a fraction; what cannot be told is not told."""
    assert read("oxygen", resource) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (component("3151-8", valueQuantity=quantity(6, "L/min")), 1),
        (component("3150-0", valueQuantity=quantity(40, "%")), 1),
        (component("3150-0", valueQuantity=quantity(21, "%")), 0),
        ({"code": concept(ON_OXYGEN, SNOMED), "valueBoolean": True}, 1),
    ],
)
def test_oxygen_beside_the_saturation(part: Resource, expected: float) -> None:
    """As components of the saturation, as US Core sends them; the saturation is read too."""
    saturation = measured("59408-5", 93, "%", HOUR, component=[part])
    assert (read("spo2", saturation), read("oxygen", saturation)) == (93, expected)


def test_a_saturation_alone_says_nothing_of_oxygen() -> None:
    """Air is never assumed."""
    assert read("oxygen", measured("2708-6", 97, "%", HOUR)) is None


def test_the_newest_statement_of_oxygen_stands_and_of_one_moment_the_higher_score() -> None:
    """Taken off oxygen an hour ago; a flow beside a fraction of air."""
    assert read("oxygen", stated(ON_OXYGEN, 2), stated(ROOM_AIR, 1)) == 0
    assert read("oxygen", measured("3151-8", 2, "L/min", HOUR), measured("3150-0", 21, "%", HOUR)) == 1
    assert read("oxygen", stated(ON_OXYGEN, 6.1)) is None


@pytest.mark.parametrize("code", ["67775-7", "80288-4"])
@pytest.mark.parametrize(
    ("answer", "system", "expected"),
    [
        ("LA9340-6", LOINC, 15), ("LA6560-2", LOINC, 14), ("LA17108-4", LOINC, 13), ("LA17107-6", LOINC, 8),
        ("LA9343-0", LOINC, 3), ("248234008", SNOMED, 15), ("130987000", SNOMED, 14), ("300202002", SNOMED, 13),
        ("450847001", SNOMED, 8), ("422768004", SNOMED, 3),
    ],
)  # fmt: skip
def test_alert_confused_voice_pain_unresponsive(code: str, answer: str, system: str, expected: float) -> None:
    """As points of the coma score, of which only "alert" has all; it is no coma score of its own."""
    found = bedside(coded(code, answer, system, HOUR))
    assert found.consciousness is not None
    assert (found.consciousness.value, found.gcs) == (expected, None)


def test_the_british_scale_is_read() -> None:
    """ACVPU under its SNOMED code; an answer that nobody knows is an issue."""
    answer = {"valueCodeableConcept": concept("130987000", SNOMED)}
    assert read("consciousness", observation("1104441000000107", SNOMED, HOUR, **answer)) == 14
    unknown = coded("67775-7", "1", SNOMED, HOUR)
    assert read("consciousness", unknown) is None
    assert "answer-unknown" in codes(unknown)


def test_the_coma_score_is_read_as_a_total_and_as_parts() -> None:
    """The newest; parts further apart than half an hour are no sum."""
    total = observation("9269-2", valueInteger=13, days=2 * HOUR)
    parts = [
        observation(code, valueInteger=number, days=HOUR)
        for code, number in (("9267-6", 4), ("9270-0", 5), ("9268-4", 6))
    ]
    assert read("gcs", total) == 13
    assert read("gcs", total, *parts) == read("consciousness", total, *parts) == 15
    late = observation("9268-4", valueInteger=6, days=0)
    assert read("gcs", *parts[:2], late) is None


def test_the_newest_of_each_reading_counts() -> None:
    """One measured again alone stands beside the others of the last six hours; the network keeps the first."""
    first = [measured("9279-1", 18, "/min", 3 * HOUR), measured("2708-6", 96, "%", 3 * HOUR)]
    again = measured("59408-5", 88, "%", 0.2 * HOUR)
    assert (read("spo2", *first, again), read("respiratory_rate", *first, again)) == (88, 18)
    assert encoded(*first, again, arrival(4)).findings["vital_spo2"].value == 96
    assert read("respiratory_rate", measured("9279-1", 18, "/min", 6.1 * HOUR)) is None


@pytest.mark.parametrize(
    ("name", "resource", "expected"),
    [
        ("temperature", measured("8310-5", 100.4, "[degF]", HOUR), 38),
        ("temperature", observation("276885007", SNOMED, HOUR, valueQuantity=quantity(38, "Cel")), 38),
        ("pulse", observation("78564009", SNOMED, HOUR, valueQuantity=quantity(90, "/min")), 90),
        ("pulse", observation("364075005", SNOMED, HOUR, valueQuantity=quantity(90, "{beats}/min")), 90),
        ("spo2", observation("431314004", SNOMED, HOUR, valueQuantity=quantity(93, "%")), 93),
        ("spo2", observation("103228002", SNOMED, HOUR, valueQuantity=quantity(0.93, "1")), 93),
        ("respiratory_rate", observation("86290005", SNOMED, HOUR, valueQuantity=quantity(22, "/min")), 22),
        ("systolic", observation("72313002", SNOMED, HOUR, valueQuantity=quantity(100, "mm[Hg]")), 100),
    ],
)
def test_vital_signs_by_other_codes_and_units(name: str, resource: Resource, expected: float) -> None:
    """Fahrenheit, fractions, pulse rate, the SNOMED codes of national guides."""
    assert read(name, resource) == pytest.approx(expected, abs=1e-4)


def test_a_pressure_panel_gives_the_systolic_pressure() -> None:
    """From its components."""
    panel = observation("85354-9", days=HOUR, component=[component("8480-6", valueQuantity=quantity(95, "mm[Hg]"))])
    assert read("systolic", panel) == 95


def test_scale_2_holds_only_where_somebody_scored_by_it() -> None:
    """As an Observation or as a part of the score, since the arrival; the newest statement of a scale stands."""
    part = {"code": concept(SCALE_2, SNOMED), "valueInteger": 2}
    score = observation("1104051000000101", SNOMED, HOUR, valueInteger=7, component=[part])
    assert read("spo2_scale_2", score) == read("spo2_scale_2", stated(SCALE_2, valueInteger=2)) == 1
    assert read("spo2_scale_2", stated(SCALE_2, 2), stated(SCALE_1, 1)) == 0
    assert read("spo2_scale_2", stated(SCALE_2, 24)) is None
    assert read("spo2_scale_2", measured("2708-6", 88, "%", HOUR)) is None


@pytest.mark.parametrize(("grade", "expected"), [(0, 0), (2, 2), (6, None), (1.5, None)])
def test_a_grade_of_mucositis_is_read_by_our_own_code(grade: float, expected: float | None) -> None:
    """CTCAE 0 to 5, of the last seven days."""
    said = observation("mucositis_grade", OWN, 3, valueQuantity={"value": grade})
    assert read("mucositis_grade", said) == expected
    assert read("mucositis_grade", observation("mucositis_grade", OWN, 7.1, valueInteger=2)) is None


def test_what_was_read_for_a_score_is_no_unknown_code() -> None:
    """It raises no issue of its own."""
    assert codes(stated(ON_OXYGEN), stated(SCALE_2, valueInteger=1)) == set()
