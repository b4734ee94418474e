"""Survival by hand-computed numbers, and the refusal to extrapolate."""

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from models.features import FeatureVector
from models.manifest import Baseline
from models.position import SHARED
from models.setting import Network
from models.survival import BeyondFollowUpError, check_horizon, cumulative_hazard, survival, survival_with_range
from tests.unit.models.made_up import schema
from tests.unit.service.made_up_patients import package

STEPS = Baseline((100.0, 200.0, 400.0), (0.1, 0.3, 0.7), 500.0)
DOUBLE = math.log(2)


@pytest.mark.parametrize(("day", "hazard"), [(0, 0.0), (99.9, 0.0), (100, 0.1), (199, 0.1), (200, 0.3), (450, 0.7)])
def test_the_hazard_is_a_step_function(day: float, hazard: float) -> None:
    """The last step up to the day counts; before the first there is none."""
    assert cumulative_hazard(STEPS, day) == hazard


def test_survival_is_that_of_a_proportional_hazard() -> None:
    """At twice the hazard exp(-0.3) becomes exp(-0.6)."""
    assert survival(STEPS, 0.0, 200) == pytest.approx(math.exp(-0.3))
    assert survival(STEPS, DOUBLE, 200) == pytest.approx(math.exp(-0.6))


def test_who_is_alive_later_has_the_conditional_survival() -> None:
    """S(250 + 150) / S(250) holds the hazard between the two days only."""
    later = survival(STEPS, DOUBLE, 150, since=250)
    assert later == pytest.approx(survival(STEPS, DOUBLE, 400) / survival(STEPS, DOUBLE, 250))
    assert later == pytest.approx(math.exp(-0.8))


def test_survival_never_rises_and_is_a_probability() -> None:
    """From day to day, at any risk, the absurd included."""
    for risk in (-1e3, -3.0, 0.0, 3.0, 1e3):
        curve = [survival(STEPS, risk, day) for day in range(0, 501, 20)]
        assert all(0 <= b <= a <= 1 for a, b in pairwise(curve))


@pytest.mark.parametrize(("days", "since"), [(500.1, 0), (300, 201), (-1, 0), (10, -1), (math.nan, 0)])
def test_what_follow_up_does_not_support_is_refused(days: float, since: float) -> None:
    """Beyond the last supported day, the time already survived included; before time zero; no number."""
    with pytest.raises(BeyondFollowUpError):
        survival(STEPS, 0.0, days, since)


@pytest.mark.parametrize(("days", "since"), [(180, 0), (365, 366), (730, 1)])
def test_only_supported_horizons_are_answered(days: int, since: float) -> None:
    """A horizon that is not listed, or that from today reaches beyond the last one."""
    check_horizon((365, 730), 365, 365)
    with pytest.raises(BeyondFollowUpError):
        check_horizon((365, 730), days, since)


def test_the_range_is_that_of_the_log_risk() -> None:
    """Log-risk plus and minus its half width, times the slope."""
    found = survival_with_range(STEPS, 0.5, 2 * DOUBLE, 2 * DOUBLE, 200)
    assert (found.low, found.probability, found.high) == pytest.approx((math.exp(-1.2), math.exp(-0.6), math.exp(-0.3)))


def with_horizons() -> Network:
    network = package().network("diagnosis")
    setting = msgspec.structs.replace(
        network.manifest, horizons={"entity_colon": (365, 730)}, baselines={"made_up": Baseline((10.0,), (0.3,), 900.0)}
    )
    return Network("diagnosis", setting, network.predictor, schema())


def test_a_network_answers_by_the_anchors_baseline_and_its_slope() -> None:
    """Probability and range come from risk, slope, members and missing inputs."""
    network = with_horizons()
    values = {"demo_age_at_baseline": 60.0, "stage_uicc_stage": 3.0, "entity_colon": 1.0}
    vector = FeatureVector.of(schema(), values)
    explained, members = network.explain(vector), network.predict(vector).members
    found = network.survival(explained, vector, "entity_colon", members, 365)
    cumulative = 0.3 * math.exp(network.slope * explained.risk)
    assert found.probability == pytest.approx(math.exp(-cumulative))
    missing = [
        typical.spread
        for key, typical in network.manifest.groups["entity_colon"].typical.items()
        if key not in {*values, "entity"}
    ]
    half = np.hypot(SHARED * 2.132 * np.std(members, ddof=1) * math.sqrt(1.2), 1.645 * np.linalg.norm(missing))
    assert found.low == pytest.approx(math.exp(-cumulative * math.exp(network.slope * half)))
    assert found.high == pytest.approx(math.exp(-cumulative * math.exp(-network.slope * half)))


def test_an_input_that_the_group_does_not_have_does_not_count() -> None:
    """What no 50 patients of the group had is left out of the figure, as it is out of the position."""
    network = with_horizons()
    own = network.manifest.groups["entity_colon"]
    typical = {key: value for key, value in own.typical.items() if key != "stage_uicc_stage"}
    groups = {**network.manifest.groups, "entity_colon": msgspec.structs.replace(own, typical=typical)}
    without = Network(
        "diagnosis", msgspec.structs.replace(network.manifest, groups=groups), network.predictor, schema()
    )
    vector = FeatureVector.of(schema(), {"demo_age_at_baseline": 60.0, "stage_uicc_stage": 3.0, "entity_colon": 1.0})
    explained, members = network.explain(vector), network.predict(vector).members
    found = without.survival(explained, vector, "entity_colon", members, 365)
    stage = float(explained.relevance[schema().index["stage_uicc_stage"]])
    assert found.probability == pytest.approx(math.exp(-0.3 * math.exp(network.slope * (explained.risk - stage))))


def test_an_entity_without_horizons_is_refused() -> None:
    """As is everybody with a package that has none."""
    network = with_horizons()
    vector = FeatureVector.of(schema(), {"demo_age_at_baseline": 60.0, "entity_nsclc": 1.0})
    explained, members = network.explain(vector), network.predict(vector).members
    with pytest.raises(BeyondFollowUpError):
        network.survival(explained, vector, "entity_nsclc", members, 365)
