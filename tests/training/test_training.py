"""Training, evaluation and packing from end to end on a made-up cohort, small enough to take a second or two."""

import csv
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.network import dense
from models.package import Package
from models.training.card import model_card
from models.training.cohort import Cohort
from models.training.cohort_evaluation import evaluate_package, read_comparators, recipe_of
from models.training.evaluation import evaluate
from models.training.evaluation_report import Evaluation, Interval
from models.training.evaluation_text import evaluation_text
from models.training.network_training import Recipe, TrainedNetwork, train_network
from models.training.packaging import write_package
from models.training.predictions import Predictions, out_of_fold, write_predictions
from models.training.ridge import Table
from models.training.selection import select_inputs
from models.training.training import train_setting, worse_than_ridge
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()
SMALL = Recipe(members=2, first_units=8, second_units=4, batch=64, patience=2, longest=4)

BOOTSTRAPS = 5


def silent(_: str) -> None:
    pass


def table_of(patients: Cohort) -> Table:
    return Table.of(select_inputs(patients, CATALOGUE), patients, CATALOGUE)


@pytest.fixture(scope="module")
def table() -> Table:
    return table_of(cohort(300))


@pytest.fixture(scope="module")
def trained(table: Table) -> TrainedNetwork:
    return train_network(table, CATALOGUE, SMALL, silent)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Evaluation]:
    folder = tmp_path_factory.mktemp("trained")
    trained = train_setting("diagnosis", cohort(300), CATALOGUE, SMALL, silent, BOOTSTRAPS)
    evaluation = Evaluation({"diagnosis": trained.evaluations}, BOOTSTRAPS)
    write_package(folder, "small", "1", CATALOGUE, [trained.setting], evaluation)
    return folder, evaluation


def test_training_starts_exactly_at_the_ridge(table: Table) -> None:
    """Without an epoch every member is the ridge of its fold: the last layer is zero."""
    untouched = train_network(table, CATALOGUE, msgspec.structs.replace(SMALL, longest=0), silent)
    assert untouched.epoch == 0
    assert not untouched.network.last.any()
    assert np.corrcoef(untouched.network.risk(table.pairs), untouched.ridge.risk(table))[0, 1] > 0.99


def test_training_repeats(table: Table, trained: TrainedNetwork) -> None:
    """The same seed gives the same weights, another seed others."""
    again = train_network(table, CATALOGUE, SMALL, silent)
    assert np.array_equal(again.network.skip, trained.network.skip)
    assert np.array_equal(again.network.first, trained.network.first)
    other = train_network(table, CATALOGUE, msgspec.structs.replace(SMALL, seed=5), silent)
    assert not np.array_equal(other.network.first, trained.network.first)


def test_being_measured_does_not_score_after_training(table: Table, trained: TrainedNetwork) -> None:
    """Every parameter's mean relevance over the training patients who have it is 0, the entity's too."""
    relevance, d = trained.network.relevance(table.pairs), len(table.inputs.parameters)
    observed = ~np.isnan(table.scaled[:, :d])
    means = relevance[:, :d].sum(axis=0) / observed.sum(axis=0)
    assert means == pytest.approx(np.zeros(d), abs=1e-5)
    assert relevance[:, d:].sum(axis=1).mean() == pytest.approx(0, abs=1e-5)


def test_recentring_keeps_the_sum(table: Table, trained: TrainedNetwork) -> None:
    """What is taken from the relevances is taken from the risk: the sum stays exact."""
    assert trained.network.relevance(table.pairs).sum(axis=1) == pytest.approx(trained.network.risk(table.pairs))


def test_the_loss_of_one_batch_is_the_exact_partial_likelihood(table: Table) -> None:
    """On a batch of everybody, padding rows aside, the loss per death equals the likelihood by sorted sums."""
    rows, risk = table.cohort, table.pairs @ np.random.default_rng(0).normal(0, 0.3, table.pairs.shape[1])
    real = np.arange(320) < 300

    def padded(column: NDArray[np.generic]) -> jax.Array:
        return jnp.asarray(np.append(column, np.ones(20)) * real, dtype=jnp.float32)

    nothing = padded(np.zeros(300))
    entry, time, death = (padded(column) for column in (rows.entry, rows.time, rows.event))
    batch = dense.Batch(nothing, nothing, entry, time, death, nothing, padded(np.ones(300)), nothing)
    value = jax.jit(dense.cox_loss)(padded(risk), batch)
    assert float(value) == pytest.approx(-table.risk_sets().log_likelihood(risk) / rows.event.sum(), rel=1e-5)


def test_nobody_died(table: Table) -> None:
    """A cohort without deaths cannot teach survival, and says so."""
    alive = msgspec.structs.replace(table.cohort, event=np.zeros(300, dtype=bool))
    with pytest.raises(ValueError, match="no deaths"):
        train_network(Table.of(table.inputs, alive, CATALOGUE), CATALOGUE, SMALL, silent)


def test_a_trained_package_loads(package: tuple[Path, Evaluation]) -> None:
    """The shipped form of what was trained answers, and knows its recipe, groups and baselines."""
    loaded = Package.load(package[0], CATALOGUE)
    network = loaded.network("diagnosis")
    assert {"demo_age_at_baseline", "entity_colon"} <= network.trained
    assert recipe_of(network) == msgspec.structs.replace(SMALL, longest=0)
    assert network.manifest.anchor == "made_up"
    baseline = network.manifest.baselines["made_up"]
    assert np.all(np.diff(baseline.hazard) > 0)
    assert 0 < baseline.supported_days <= max(baseline.days) + 3000
    assert set(network.manifest.groups) == {"diagnosis", "entity_colon", "entity_nsclc", "entity_breast"}


def test_a_network_that_ranks_worse_than_its_ridge_is_not_shipped(package: tuple[Path, Evaluation]) -> None:
    """Four epochs on 300 patients harm: the package holds the ridge and says so."""
    network = Package.load(package[0], CATALOGUE).network("diagnosis")
    assert network.manifest.form == "ridge"
    assert network.manifest.recipe["stopped_at_epoch"] == 0


@pytest.mark.parametrize(
    ("pooled", "within", "worse"),
    [((-0.02, 0.01), (-0.01, 0.02), False), ((-0.02, -0.001), (-0.01, 0.02), True), ((0, 0.1), (-0.2, -0.1), True)],
)
def test_worse_than_the_ridge(
    package: tuple[Path, Evaluation], pooled: tuple[float, float], within: tuple[float, float], *, worse: bool
) -> None:
    """The upper bound of either difference, pooled or within type, decides."""
    intervals = {"pooled": Interval(0, *pooled), "within": Interval(0, *within)}
    result = package[1].settings["diagnosis"]["made_up"]
    changed = msgspec.structs.replace(result, differences={"network - ridge-cox": intervals})
    assert worse_than_ridge(changed) is worse


def test_patients_without_cancer_train_and_are_no_reference() -> None:
    """They change the weights; typical values, positions, counts and evaluation are of those with cancer alone."""
    patients = cohort(300)
    without = np.arange(300) % 3 == 0
    names = np.where(without, "made_up_without_cancer", "made_up")
    both = msgspec.structs.replace(patients, cohort=names)
    trained = train_setting("acute", both, CATALOGUE, SMALL, silent, BOOTSTRAPS)
    manifest = trained.setting.setting
    assert set(trained.evaluations) == {"made_up"}
    assert manifest.groups["acute"].patients == sum(patients for patients, _ in manifest.entities.values()) == 200
    assert manifest.trained["demo_sex_female"].patients <= 200
    assert set(manifest.baselines) == {"made_up"}
    assert {entry.name: entry.patients for entry in manifest.cohorts} == {"made_up": 200, "made_up_without_cancer": 100}
    alone = train_setting("acute", patients.rows(~without), CATALOGUE, SMALL, silent, BOOTSTRAPS)
    assert not np.allclose(alone.setting.network.skip, trained.setting.network.skip)


def test_a_left_out_cohort_is_predicted_by_the_others() -> None:
    """It trains nothing of what predicts it, has no baseline of its own, and is recalibrated half by half."""
    names = np.where(np.arange(300) % 2 == 0, "one", "two")
    patients = msgspec.structs.replace(cohort(300), cohort=names)
    seen: list[set[str]] = []

    def fit(table: Table, *arguments: Any) -> TrainedNetwork:
        seen.append(set(table.cohort.cohort.tolist()))
        return train_network(table, *arguments)

    recipe = msgspec.structs.replace(SMALL, longest=0)
    predictions = out_of_fold(patients, CATALOGUE, recipe, silent, fit, "cohort")
    assert seen == [{"two"}, {"one"}]
    result = evaluate(predictions, CATALOGUE, 0, BOOTSTRAPS)["one"]
    network = result.models["network"]
    assert (result.folds, result.recalibrated_on) == ("left out as a whole cohort", "the other half")
    assert network.before is not None
    assert network.after is not None
    assert (network.brier, network.before.horizons) == ({}, {})
    assert {"6", "12"} <= set(network.after.horizons)


def test_packing_is_reproducible(package: tuple[Path, Evaluation], tmp_path: Path) -> None:
    """Training again gives the same manifest, and with it every file, byte for byte."""
    again = train_setting("diagnosis", cohort(300), CATALOGUE, SMALL, silent, BOOTSTRAPS)
    evaluation = Evaluation({"diagnosis": again.evaluations}, BOOTSTRAPS)
    write_package(tmp_path, "small", "1", CATALOGUE, [again.setting], evaluation)
    assert (tmp_path / "manifest.json").read_bytes() == (package[0] / "manifest.json").read_bytes()


def test_the_evaluation_says_what_it_must(package: tuple[Path, Evaluation]) -> None:
    """All models, paired differences with intervals, calibration, blanking per block, coverage."""
    result = package[1].settings["diagnosis"]["made_up"]
    assert (result.folds, result.patients, result.entities) == ("out of fold", 300, 3)
    assert set(result.models) == {"network", "ridge-cox", "type-only", "stage-only", "boosted-cox"}
    assert result.models["network"].pooled.value > 0.6
    assert result.models["type-only"].within is not None
    assert result.models["type-only"].within.value == 0.5
    for scores in result.models.values():
        assert scores.pooled.low <= scores.pooled.value <= scores.pooled.high
    difference = result.differences["network - ridge-cox"]["pooled"]
    expected = result.models["network"].pooled.value - result.models["ridge-cox"].pooled.value
    assert difference.value == pytest.approx(expected, abs=1e-5)
    assert set(result.blanking) == {"demographics", "genetics", "laboratory", "stage"}
    assert set(result.scenarios) == {
        "random 25 % removed", "no genetics", "no stage", "laboratory only", "emergency first look",
    }  # fmt: skip
    assert {"6", "12"} <= set(result.models["ridge-cox"].auc)
    assert result.recalibrated_on == "the other folds"
    assert result.coverage["laboratory"] == pytest.approx(0.7, abs=0.05)
    assert {"6", "12"} <= set(result.models["network"].brier)
    assert result.key_markers is not None
    assert 1 <= len(result.key_markers.markers) <= result.key_markers.with_relevance <= 8
    assert 1 <= result.key_markers.per_patient <= 8
    assert result.abstention is not None
    assert result.abstention.patients <= 3


def test_the_card_is_made_from_manifest_and_evaluation(package: tuple[Path, Evaluation]) -> None:
    """Cohorts, licences, parameters, cancer types and scores are on it; made again it is the same."""
    loaded = Package.load(package[0], CATALOGUE)
    card = model_card(loaded.manifest, package[1])
    assert card == loaded.card
    for part in (
        "made_up",
        "own data of the trainer",
        "stage_uicc_stage",
        "entity_colon",
        "network - ridge-cox",
        "less is known",
    ):
        assert part in card
    assert "Synthetic" not in card
    assert "Synthetic" in model_card(msgspec.structs.replace(loaded.manifest, synthetic=True), package[1])


def test_a_new_cohort_is_scored_as_it_is_served(package: tuple[Path, Evaluation], tmp_path: Path) -> None:
    """Patients who did not train the package get its own risk and the packed ridge; the CSV says external."""
    loaded = Package.load(package[0], CATALOGUE)
    other = msgspec.structs.replace(cohort(120, seed=9), cohort=np.full(120, "elsewhere"))
    evaluation, made = evaluate_package(loaded, other, CATALOGUE, None, silent, BOOTSTRAPS)
    assert evaluation.settings["diagnosis"]["elsewhere"].folds == "external"
    expected = loaded.network("diagnosis").predictor.risk(other.values)
    assert made[0].risk["network"] == pytest.approx(expected)
    assert "elsewhere · network diagnosis · external" in evaluation_text(evaluation)
    write_predictions(tmp_path / "p.csv", made)
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["patient_id", "cohort", "fold", "model", "risk"]
    assert len(rows) == 4 * 120
    assert {(row["fold"], row["cohort"]) for row in rows} == {("external", "elsewhere")}


def test_the_packed_ridge_is_the_fitted_ridge(package: tuple[Path, Evaluation]) -> None:
    """Its weights per parameter give the same log-risk as the model they were taken from."""
    patients = cohort(300)
    table = table_of(patients)
    packed = read_comparators(package[0])["diagnosis"]
    trained = train_network(table, CATALOGUE, SMALL, silent)
    assert packed.risk("ridge-cox", CATALOGUE, patients.values) == pytest.approx(trained.ridge.risk(table))


def test_the_cohort_that_trained_is_evaluated_out_of_fold(package: tuple[Path, Evaluation]) -> None:
    """No patient is scored by a network that saw the patient; the result is that of the training."""
    loaded = Package.load(package[0], CATALOGUE)
    evaluation, made = evaluate_package(loaded, cohort(300), CATALOGUE, None, silent, BOOTSTRAPS)
    assert evaluation.settings == package[1].settings
    assert sorted(set(made[0].fold.tolist())) == [0, 1, 2, 3, 4]
    assert isinstance(made[0], Predictions)
