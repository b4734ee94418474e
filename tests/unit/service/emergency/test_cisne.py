"""CISNE: only in stable febrile neutropenia, and only with all of its inputs."""

import pytest

from fhir_mappings.concepts import OWN
from service.emergency.bedside_scores import BedsideScore, bedside_scores
from tests.unit.fhir_mappings.resources_of import (
    AT,
    Resource,
    arrival,
    coded,
    condition,
    documented,
    encoded,
    listing,
    measured,
    observation,
    taken,
)

HOUR = 1 / 24
NAMES = ("ecog", "glucose", "copd", "cardiovascular", "mucositis", "monocytes")


def chart(
    *more: Resource, without: str = "", ecog: int = 1, glucose: float = 100, mucositis: int = 0, monocytes: float = 0.3,
    neutrophils: float = 0.4, temperature: float = 38.4, systolic: float = 110, saturation: float = 96,
) -> list[Resource]:  # fmt: skip
    """A patient with fever and few neutrophils in whom nothing scores, unless changed; one result may be left out."""
    known = {
        "ecog": observation("89247-1", valueInteger=ecog, days=2),
        "glucose": measured("2345-7", glucose, "mg/dL", HOUR),
        "mucositis": observation("mucositis_grade", OWN, 1, valueInteger=mucositis),
        "monocytes": measured("742-7", monocytes, "10*9/L", HOUR),
        "neutrophils": measured("751-8", neutrophils, "10*9/L", HOUR),
        "temperature": measured("8310-5", temperature, "Cel", HOUR),
        "systolic": measured("8480-6", systolic, "mm[Hg]", HOUR),
        "saturation": measured("59408-5", saturation, "%", HOUR),
        "consciousness": coded("67775-7", "LA9340-6", days=HOUR),
    }
    return [*(r for name, r in known.items() if name != without), *documented(), *more, arrival(4)]


def cisne(*resources: Resource) -> BedsideScore | None:
    return next((score for score in bedside_scores(encoded(*resources), AT) if score.key == "cisne"), None)


def points(*resources: Resource) -> dict[str, int]:
    score = cisne(*resources)
    assert score is not None
    assert score.value == sum(part.points for part in score.parts)
    assert tuple(part.key for part in score.parts) == NAMES
    return {part.key: part.points for part in score.parts if part.points}


def test_nothing_scores_in_the_chart_of_these_tests() -> None:
    """Zero is low."""
    score = cisne(*chart())
    assert score is not None
    assert (score.value, score.band) == (0, "low")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (chart(ecog=2), {"ecog": 2}),
        (chart(listing("10160-0", days=2), glucose=121), {"glucose": 2}),
        (chart(glucose=120.9), {}),
        (chart(condition("E11.9"), glucose=249), {}),
        (chart(condition("E11.9"), glucose=250), {"glucose": 2}),
        (chart(taken("H02AB06", days=20), glucose=200), {}),
        (chart(condition("J44.9")), {"copd": 1}),
        (chart(condition("I50.0")), {"cardiovascular": 1}),
        (chart(condition("I48.0")), {"cardiovascular": 1}),
        (chart(mucositis=1), {}),
        (chart(mucositis=2), {"mucositis": 1}),
        (chart(monocytes=0.2), {}),
        (chart(monocytes=0.19), {"monocytes": 1}),
    ],
)
def test_each_part_by_its_limit(resources: list[Resource], expected: dict[str, int]) -> None:
    """A high glucose counts from 250 where diabetes or steroids explain it."""
    assert points(*resources) == expected


@pytest.mark.parametrize(
    ("resources", "value", "band"),
    [
        (chart(monocytes=0.1), 1, "intermediate"),
        (chart(ecog=2), 2, "intermediate"),
        (chart(ecog=2, monocytes=0.1), 3, "high"),
        (chart(condition("J44.9"), condition("I50.0"), ecog=3, glucose=300, mucositis=3, monocytes=0.1), 8, "high"),
    ],
)
def test_it_adds_up(resources: list[Resource], value: int, band: str) -> None:
    """1 and 2 are intermediate, 3 and more high; 8 is the most."""
    score = cisne(*resources)
    assert score is not None
    assert (score.value, score.band) == (value, band)


@pytest.mark.parametrize(
    "resources",
    [
        chart(neutrophils=0.5),
        chart(temperature=37.9),
        chart(systolic=89),
        chart(saturation=89),
        chart(condition("A41.9", days=0.1)),
        *(chart(without=name) for name in ("neutrophils", "temperature", "systolic", "saturation", "consciousness")),
    ],
)
def test_it_is_for_stable_febrile_neutropenia_only(resources: list[Resource]) -> None:
    """Fever, few neutrophils, and stability that is shown and not assumed."""
    assert cisne(*resources) is None


@pytest.mark.parametrize("name", ["ecog", "glucose", "mucositis", "monocytes"])
def test_it_is_not_shown_without_all_inputs(name: str) -> None:
    """Neither with a glucose that diabetes or steroids might explain, where nobody says whether there are any."""
    assert cisne(*chart(without=name)) is None
    assert cisne(*chart(glucose=200)) is None
