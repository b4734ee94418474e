"""What each missing-data scenario takes away, and what is reported of it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.training.held_out import HeldOut
from models.training.predictions import EXTERNAL, Predictions
from models.training.scenario_scores import scenario_rows
from models.training.scenarios import FIRST_LOOK, RANDOM_QUARTER, blanked
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()
FULL = np.zeros((40, len(CATALOGUE)), dtype=np.float32)
LEFT = {name: ~np.isnan(values) for name, values in blanked(FULL, CATALOGUE, 0).items()}
ENTITIES = set(CATALOGUE.entities)


def left(scenario: str) -> set[str]:
    columns = np.asarray(LEFT[scenario].all(axis=0))
    assert np.array_equal(columns, LEFT[scenario].any(axis=0))
    return {key for key, there in zip(CATALOGUE.keys, columns.tolist(), strict=True) if there} - ENTITIES


def test_the_cancer_type_always_stays() -> None:
    """In every scenario, of every patient."""
    assert all(there[:, CATALOGUE.entity_columns].all() for there in LEFT.values())


def test_each_scenario_takes_what_it_says() -> None:
    """Genetics, stage, all but laboratory, all but the first look."""
    everything = set(CATALOGUE.keys) - ENTITIES
    genetics = {key for key in everything if CATALOGUE[key].modality == "genetics"}
    assert left("no genetics") == everything - genetics
    assert left("no stage") == {key for key in everything if not key.startswith("stage_")}
    assert left("laboratory only") == {key for key in everything if CATALOGUE[key].modality == "laboratory"}
    assert left("emergency first look") == FIRST_LOOK
    assert everything >= FIRST_LOOK


def test_a_random_quarter_is_the_same_every_time() -> None:
    """25 % of the parameters, the same by the same seed."""
    there = LEFT[RANDOM_QUARTER]
    assert 1 - there[:, [key not in ENTITIES for key in CATALOGUE.keys]].mean() == pytest.approx(0.25, abs=0.02)
    assert np.array_equal(there, ~np.isnan(blanked(FULL, CATALOGUE, 0)[RANDOM_QUARTER]))
    assert not np.array_equal(there, ~np.isnan(blanked(FULL, CATALOGUE, 1)[RANDOM_QUARTER]))


def test_scenarios_are_compared_with_the_full_picture() -> None:
    """A worse risk loses C; one that changes nobody or leaves only the cancer type is not reported."""
    table = cohort(200)
    stage = np.nan_to_num(table.values[:, CATALOGUE.index["stage_uicc_stage"]]).astype(np.float64)
    noise = np.random.default_rng(0).normal(size=200)
    types = np.unique(table.entity, return_inverse=True)[1].astype(np.float64)
    scenarios = {"worse": stage + noise * 3, "same": stage, "only the type": types}
    held = HeldOut.of(_predictions(stage, scenarios), seed=0, bootstraps=6)
    found = scenario_rows(held)
    assert set(found) == {"worse"}
    scores = found["worse"].models["network"]
    assert found["worse"].patients == 200
    assert scores.pooled_change.value < 0
    assert scores.pooled.value - held.both(stage)[0, 0] == pytest.approx(scores.pooled_change.value, abs=1e-5)


def _predictions(risk: NDArray[np.float64], scenarios: dict[str, NDArray[np.float64]]) -> Predictions:
    by_model = {name: {"network": values} for name, values in scenarios.items()}
    fold = np.full(len(risk), EXTERNAL)
    return Predictions(cohort(len(risk)), fold, {"network": risk}, {}, {}, {}, {}, scenarios=by_model)
