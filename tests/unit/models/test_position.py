"""Where a patient stands among similar patients."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.manifest import ENTITY, Group, TypicalRelevance
from models.position import SHARED, Position, position
from tests.unit.models.made_up import schema

CATALOGUE = schema()
AGREED = np.zeros(5)
AGE, STAGE = CATALOGUE.index["demo_age_at_baseline"], CATALOGUE.index["stage_uicc_stage"]


def group(spread: float = 0.0, quantiles: NDArray[np.float64] | None = None) -> Group:
    """101 evenly spread patients from -1 to 1; age is typically .2, stage 0."""
    spots = np.linspace(-1, 1, 101) if quantiles is None else quantiles
    typical = {
        "demo_age_at_baseline": TypicalRelevance(0.2, 60, spread),
        "stage_uicc_stage": TypicalRelevance(0.0, 60, spread),
        ENTITY: TypicalRelevance(0.5, 60, 0.0),
    }
    return Group(60, 30, typical, tuple(spots))


def place(
    known: dict[int, float], members: NDArray[np.float64] = AGREED, group: Group | None = None, entity: float = 0.5
) -> Position:
    relevance, observed = np.zeros(350), np.zeros(350, dtype=bool)
    for column, value in known.items():
        relevance[column], observed[column] = value, True
    relevance[CATALOGUE.index["entity_colon"]] = entity
    return position(relevance, observed, members, group or GROUP, "entity_colon", CATALOGUE)


GROUP = group()


def test_the_typical_patient_stands_in_the_middle() -> None:
    """All relevances at their typical values are the 50th percentile, about as usual."""
    found = place({AGE: 0.2, STAGE: 0.0})
    assert (found.percentile, found.low, found.high) == (50, 50, 50)
    assert (found.category, found.group, found.patients, found.parameters) == (
        "about as usual", "entity_colon", 60, 3,
    )  # fmt: skip


def test_more_relevance_than_typical_is_less_favourable() -> None:
    """100 is the least favourable end, and what lies beyond the group stays at it."""
    assert place({AGE: 0.9, STAGE: 0.0}).percentile == 85
    assert place({AGE: 0.9, STAGE: 0.0}).category == "less favourable"
    assert place({AGE: -0.5, STAGE: 0.0}).category == "more favourable"
    assert place({AGE: 99, STAGE: 0.0}).percentile == 100


def test_missing_counts_as_typical_and_widens_the_range() -> None:
    """Leaving age out does not move the position; the range grows by what age could have added."""
    with_spread = group(spread=0.3)
    found = place({STAGE: 0.1}, group=with_spread)
    assert found.percentile == place({AGE: 0.2, STAGE: 0.1}, group=with_spread).percentile == 55
    assert (found.low, found.high) == (round(55 - 1.645 * 15), round(55 + 1.645 * 15))


def test_the_spread_of_the_ensemble_widens_the_range() -> None:
    """Members that differ by a standard deviation of .1 give t(4, .95) * .1 * sqrt(6 / 5) to both sides."""
    members = np.array([-0.1, -0.1, 0.0, 0.1, 0.1]) + 3
    half = SHARED * 2.132 * float(np.std(members, ddof=1)) * np.sqrt(1.2) * 50
    found = place({AGE: 0.2, STAGE: 0.0}, members)
    assert (found.low, found.high) == (round(50 - half), round(50 + half))


def test_a_range_that_crosses_a_limit_by_more_than_15_points_is_unclear() -> None:
    """The 80th percentile with a range down to 55 says nothing; down to 65 it does."""
    assert place({STAGE: 0.6}, group=group(spread=0.1)).category == "less favourable"
    assert place({STAGE: 0.6}, group=group(spread=0.3)).category == "unclear"
    assert place({STAGE: -0.6}, group=group(spread=0.3)).category == "unclear"
    assert place({STAGE: 0.0}, group=group(spread=0.6)).category == "unclear"


def test_an_unknown_cancer_type_counts_as_typical() -> None:
    """Without an entity its term is not taken as minus the typical one."""
    assert place({AGE: 0.2, STAGE: 0.0}, entity=0.0).percentile == 50


def test_a_value_that_many_share_stands_in_the_middle_of_its_ranks() -> None:
    """If the group's middle third all have 0, 0 is the 50th percentile."""
    flat = np.concatenate([np.linspace(-1, -0.1, 33), np.zeros(35), np.linspace(0.1, 1, 33)])
    assert place({AGE: 0.2, STAGE: 0.0}, group=group(quantiles=flat)).percentile == 50


@pytest.mark.parametrize("members", [np.zeros(1), np.zeros(12)])
def test_any_number_of_members_will_do(members: NDArray[np.float64]) -> None:
    """A single member has no spread of its own."""
    assert place({AGE: 0.2, STAGE: 0.0}, members).low == 50
