"""Claimed interactions are confirmed, refuted or left undecided by the outcome of other patients."""

import msgspec
import numpy as np
import pytest

from models.predictor import Predictor
from models.setting import Network
from models.training.cohort import Cohort
from models.training.evaluation_report import InteractionCheck
from models.training.interaction_checks import interaction_checks
from models.training.packaging import TrainedSetting
from tests.unit.models.made_up import ENTITIES, cohort, graphs_of, inputs, network, schema, trained_setting

CATALOGUE = schema()
AGE, STAGE = "demo_age_at_baseline", "stage_uicc_stage"


@pytest.fixture(scope="module")
def setting() -> TrainedSetting:
    """A network of one unit that fires on age and stage together: it claims that one interaction."""
    patients = cohort(800, missing=0.0)
    net = network(inputs(patients), members=1)
    first = np.zeros_like(net.first)
    keys = net.inputs.keys
    for key in (AGE, STAGE):
        first[0, 0, keys.index(key)] = 1.0
        first[0, 0, len(keys) + net.inputs.parameters.index(key)] = -0.6
    second, last = np.zeros_like(net.second), np.zeros_like(net.last)
    second[0, 0, 0], last[0, 0] = 1.0, 2.0
    changed = msgspec.structs.replace(net, first=first, second=second, last=last, skip=0 * net.skip)
    return msgspec.structs.replace(trained_setting(), network=changed)


def outcome(sign: float) -> Cohort:
    """Patients who die early where age and stage are high together (sign 1), or who then live long (sign -1)."""
    made, random = cohort(3000, seed=3, missing=0.0), np.random.default_rng(5)
    age, stage = (made.values[:, CATALOGUE.index[key]].astype(float) for key in (AGE, STAGE))
    product = (age - age.mean()) / 30 * (stage - stage.mean()) / 1.5
    death = random.exponential(500 * np.exp(-1.5 * sign * product))
    return msgspec.structs.replace(made, time=np.minimum(death, 2000) + 1, event=death < 2000)


def checked(setting: TrainedSetting, patients: Cohort) -> InteractionCheck:
    predictor = Predictor(graphs_of(setting.network, CATALOGUE), CATALOGUE)
    shown = Network("diagnosis", setting.setting, predictor, CATALOGUE)
    (found, *others) = interaction_checks(shown, setting.comparators, patients, CATALOGUE)
    assert {found.first, found.second} == {AGE, STAGE}
    assert all(other.strength < 0.01 for other in others)
    return found


@pytest.mark.parametrize(("sign", "verdict"), [(1.0, "confirmed"), (-1.0, "refuted"), (0.0, "undecided")])
def test_the_outcome_decides(setting: TrainedSetting, sign: float, verdict: str) -> None:
    """By the sign of the product in a Cox model of these patients, where its interval does not hold 0."""
    found = checked(setting, outcome(sign))
    assert found.claimed > 0
    assert found.verdict == verdict
    assert found.observed.low <= found.observed.value <= found.observed.high


def test_what_few_patients_have_is_not_checked(setting: TrainedSetting) -> None:
    """Fewer than 200 patients with both inputs say nothing."""
    few = outcome(1.0)
    assert interaction_checks_of(setting, few.rows(np.arange(150))) == []
    assert set(few.entity.tolist()) <= set(ENTITIES)


def interaction_checks_of(setting: TrainedSetting, patients: Cohort) -> list[InteractionCheck]:
    predictor = Predictor(graphs_of(setting.network, CATALOGUE), CATALOGUE)
    return interaction_checks(
        Network("diagnosis", setting.setting, predictor, CATALOGUE), setting.comparators, patients, CATALOGUE
    )
