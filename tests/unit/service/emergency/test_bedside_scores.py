"""NEWS2 and qSOFA against tables typed by hand from the publications: every band from both sides."""

from typing import Any

import pytest

from fhir_mappings.bedside import Bedside
from fhir_mappings.concepts import SNOMED
from fhir_mappings.finding import Finding
from service.emergency.bedside_scores import BedsideScore, bedside_scores, news2, qsofa
from tests.unit.fhir_mappings.resources_of import (
    AT,
    Resource,
    arrival,
    coded,
    condition,
    encoded,
    measured,
    observation,
    patient,
)

HOUR = 1 / 24
# A patient in whom nothing scores.
WELL = {
    "respiratory_rate": 16.0, "spo2": 97.0, "oxygen": 0.0, "systolic": 120.0, "pulse": 70.0, "consciousness": 15.0,
    "temperature": 37.0,
}  # fmt: skip


def bedside(**changes: float | None) -> Bedside:
    values = {name: value for name, value in {**WELL, **changes}.items() if value is not None}
    return Bedside(**{name: Finding(name, value, "", AT, ("Observation/a",)) for name, value in values.items()})


def points(score: BedsideScore, key: str) -> int:
    return next(part.points for part in score.parts if part.key == key)


def of(name: str, scores: tuple[BedsideScore, ...]) -> BedsideScore:
    return next(score for score in scores if score.key == name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("respiratory_rate", {3: 3, 8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3, 60: 3}),
        ("spo2", {70: 3, 91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0, 100: 0}),
        ("oxygen", {0: 0, 1: 2}),
        ("systolic", {60: 3, 90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3, 260: 3}),
        ("pulse", {30: 3, 40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3, 180: 3}),
        ("consciousness", {3: 3, 14: 3, 15: 0}),
        (
            "temperature",
            {33: 3, 35.0: 3, 35.1: 1, 36.0: 1, 36.1: 0, 38.0: 0, 38.1: 1, 39.0: 1, 39.1: 2, 41: 2},
        ),
    ],
)
def test_news2_by_its_chart(name: str, expected: dict[float, int]) -> None:
    """Each band of each reading; beside the others, which score nothing, the points are the score."""
    found = {value: news2(bedside(**{name: value})) for value in expected}
    assert {value: points(score, name) for value, score in found.items()} == expected
    assert {value: score.value for value, score in found.items()} == expected


@pytest.mark.parametrize(
    ("oxygen", "expected"),
    [
        (0, {70: 3, 83: 3, 84: 2, 85: 2, 86: 1, 87: 1, 88: 0, 92: 0, 93: 0, 100: 0}),
        (1, {83: 3, 84: 2, 85: 2, 86: 1, 87: 1, 88: 0, 92: 0, 93: 1, 94: 1, 95: 2, 96: 2, 97: 3, 100: 3}),
    ],
)
def test_scale_2_by_its_chart(oxygen: float, expected: dict[float, int]) -> None:
    """On air and on oxygen; the part says which scale it is of."""
    found = {value: news2(bedside(spo2=value, oxygen=oxygen, spo2_scale_2=1)) for value in expected}
    assert {value: points(score, "spo2_scale_2") for value, score in found.items()} == expected
    assert points(news2(bedside(spo2=88, spo2_scale_2=0)), "spo2") == 3


@pytest.mark.parametrize("value", [35.0499, 34.95, 35.0])
def test_a_temperature_is_scored_to_a_tenth_of_a_degree(value: float) -> None:
    """As it is read from the thermometer."""
    assert points(news2(bedside(temperature=value)), "temperature") == 3


@pytest.mark.parametrize(
    ("changes", "value", "band"),
    [
        ({}, 0, ""),
        ({"pulse": 120, "systolic": 100}, 4, ""),
        ({"consciousness": 14}, 3, "urgent"),
        ({"pulse": 120, "systolic": 100, "temperature": 38.5}, 5, "urgent"),
        ({"pulse": 120, "systolic": 100, "oxygen": 1}, 6, "urgent"),
        ({"pulse": 120, "systolic": 100, "oxygen": 1, "temperature": 38.5}, 7, "emergency"),
        (
            {
                "respiratory_rate": 25, "spo2": 91, "oxygen": 1, "systolic": 90, "pulse": 131, "consciousness": 3,
                "temperature": 35,
            },
            20,
            "emergency",
        ),
    ],
)  # fmt: skip
def test_news2_adds_up_and_says_what_it_means(changes: dict[str, float], value: int, band: str) -> None:
    """Five, or a single three, is urgent; seven an emergency; twenty is the most."""
    score = news2(bedside(**changes))
    assert (score.value, score.band) == (value, band)


def test_a_score_with_a_missing_part_has_no_value_and_shows_the_others() -> None:
    """Whether oxygen is given is not assumed."""
    score = news2(bedside(oxygen=None, pulse=120))
    assert (score.value, score.missing, score.band) == (None, ("oxygen",), "")
    assert points(score, "pulse") == 2
    assert len(score.parts) == 6
    assert news2(bedside(oxygen=None, spo2=90, spo2_scale_2=1)).missing == ("oxygen",)


@pytest.mark.parametrize(
    ("changes", "value", "band"),
    [
        ({}, 0, ""),
        ({"respiratory_rate": 21}, 0, ""),
        ({"respiratory_rate": 22}, 1, ""),
        ({"systolic": 101}, 0, ""),
        ({"systolic": 100}, 1, ""),
        ({"consciousness": 14}, 1, ""),
        ({"respiratory_rate": 22, "systolic": 100}, 2, "positive"),
        ({"respiratory_rate": 30, "systolic": 80, "consciousness": 8}, 3, "positive"),
        ({"systolic": None, "respiratory_rate": 22}, None, ""),
    ],
)
def test_qsofa_by_its_three_limits(changes: dict[str, Any], value: int | None, band: str) -> None:
    """Breathing from 22, systolic pressure to 100, a coma score below 15; two are positive."""
    score = qsofa(bedside(**changes))
    assert (score.value, score.band) == (value, band)


def chart() -> list[Resource]:
    """By the codes and units of an emergency system; NEWS2 by hand 2 + 2 + 2 + 2 + 1 + 3 + 1."""
    return [
        measured("9279-1", 0.35, "/s", HOUR),
        measured("59408-5", 0.93, "1", HOUR),
        observation("371825009", SNOMED, HOUR),
        measured("8480-6", 98, "mm[Hg]", HOUR),
        measured("8867-4", 104, "{beats}/min", HOUR),
        coded("67775-7", "LA6560-2", days=HOUR),
        measured("8310-5", 101.3, "[degF]", HOUR),
        arrival(4),
    ]


def test_scores_of_a_chart_in_other_units() -> None:
    """Breaths a second, a saturated fraction, Fahrenheit; the parts are in canonical units, with their time."""
    scores = bedside_scores(encoded(*chart()), AT)
    found = of("news2", scores)
    assert (found.value, found.band) == (13, "emergency")
    assert {part.key: round(part.value, 2) for part in found.parts} == {
        "respiratory_rate": 21, "spo2": 93, "oxygen": 1, "systolic": 98, "pulse": 104, "consciousness": 14,
        "temperature": 38.5,
    }  # fmt: skip
    assert {part.effective for part in found.parts} == {"2024-05-20T11:00:00+00:00"}
    assert (of("qsofa", scores).value, of("qsofa", scores).band) == (2, "positive")


def test_without_any_reading_there_is_no_score() -> None:
    """Not even an empty one."""
    assert bedside_scores(encoded(arrival(4)), AT) == ()


@pytest.mark.parametrize(
    "who",
    [
        [patient(birthDate="2010-01-01")],
        [patient(deceasedBoolean=True)],
        [condition("O80", days=20)],
        [observation("8867-4", id="other", subject={"reference": "Patient/somebody"})],
    ],
)
def test_for_whom_the_scores_are_not_made_there_are_none(who: list[Resource]) -> None:
    """Children, the dead, pregnancy, and where data of another patient came."""
    assert bedside_scores(encoded(*who, *chart()), AT) == ()
