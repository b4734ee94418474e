"""What stands beside the network: scores where they are recorded, horizons, published predictions, calibration."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.training.calibration_curve import calibration_curve
from models.training.cohort import Cohort, CohortError
from models.training.comparator_text import comparator_tables
from models.training.comparators import comparators
from models.training.evaluation_report import NETWORK, RIDGE, STAGE_ONLY, CohortEvaluation, Evaluation
from models.training.evaluation_text import evaluation_text
from models.training.folds import deal
from models.training.full_evaluation import evaluate_fully
from models.training.horizon_comparison import horizon_rows
from models.training.horizons import GRID_POINTS
from models.training.predictions import EXTERNAL, Predictions
from models.training.published import Published, published_for, read_published, write_published
from models.training.ridge import Table, fit_ridge
from models.training.score_comparison import ALL, comparator_rows
from models.training.selection import select_inputs
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()


@pytest.fixture(scope="module")
def patients() -> Cohort:
    return cohort(300)


@pytest.fixture(scope="module")
def truth(patients: Cohort) -> dict[str, np.ndarray]:
    """A network that sees half of each patient's fate, and a ridge that sees less of it."""
    noise = np.random.default_rng(0).normal(size=len(patients))
    fate = -np.log(patients.time)
    return {NETWORK: fate + noise, RIDGE: fate + 4 * noise}


def test_scores_are_compared_where_they_are_recorded(patients: Cohort, truth: dict[str, np.ndarray]) -> None:
    """Counts, C of score, network and ridge on the same patients; what too few have is not available, by name."""
    rows = {row.key: row for row in comparator_rows(patients, truth, deal(patients, 0), CATALOGUE, 0, 20)}
    have = ~np.isnan(patients.values[:, CATALOGUE.index["stage_uicc_stage"]])
    stage = rows["uicc"]
    assert (stage.patients, stage.deaths) == (have.sum(), patients.event[have].sum())
    assert stage.comparator is not None
    assert stage.network is not None
    assert stage.difference is not None
    assert stage.difference.pooled.value == pytest.approx(
        stage.network.pooled.value - stage.comparator.pooled.value, abs=1e-5
    )
    assert stage.difference.pooled.low < stage.difference.pooled.value < stage.difference.pooled.high
    assert rows["nlr"].comparator is None
    assert rows[ALL].patients > max(stage.patients, rows["m1"].patients)


def test_nothing_is_compared_on_a_handful(patients: Cohort, truth: dict[str, np.ndarray]) -> None:
    """49 patients with a stage are too few for it, and then there is no model of all scores either."""
    few = patients.rows(np.arange(49))
    rows = comparator_rows(
        few, {name: risk[:49] for name, risk in truth.items()}, np.full(49, EXTERNAL), CATALOGUE, 0, 2
    )
    assert all(row.comparator is None for row in rows)


def test_published_predictions_on_the_same_patients(patients: Cohort, truth: dict[str, np.ndarray]) -> None:
    """A perfect one has an AUC of 1, patients lost before the day are counted, and one for a handful is left out."""
    perfect = {("made_up", str(p)): float(t > 700) for p, t in zip(patients.patient_id, patients.time, strict=True)}
    few = dict(list(perfect.items())[:30])
    published = [Published("perfect", 700, perfect), Published("few", 700, few)]
    (row,) = horizon_rows(patients, truth, {}, published, np.zeros(300, int), 0, 20)
    lost = int((~patients.event & (patients.time <= 700)).sum())
    assert (row.model, row.days, row.patients, row.left_out) == ("perfect", 700, 300 - lost, lost)
    assert row.auc["perfect"].value == 1
    assert row.auc[NETWORK].value > row.auc[RIDGE].value
    assert row.differences["network - perfect"].value == pytest.approx(row.auc[NETWORK].value - 1, abs=1e-5)


def test_a_file_of_published_predictions(patients: Cohort, tmp_path: Path) -> None:
    """It is read back by model and day; one of other patients is refused."""
    file = tmp_path / "p.csv"
    write_published(file, [("P0001", "made_up", "doctor", 60, 0.25), ("X", "made_up", "doctor", 60, 0.5)])
    (found,) = published_for(file, patients)
    assert (found.model, found.days) == ("doctor", 60)
    assert found.of(patients)[1] == 0.25
    assert np.isnan(np.delete(found.of(patients), 1)).all()
    write_published(file, [("P0001", "elsewhere", "doctor", 60, 0.25)])
    with pytest.raises(CohortError, match=r"p.csv: no patient of it is in the cohort files"):
        published_for(file, patients)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,a,m,60,1.5", "row 3: survival is no number from 0 to 1"),
        ("1,a,m,60,high", "row 3: survival is no number from 0 to 1"),
        ("1,a,m,1.5,0.5", "row 3: days is no positive whole number"),
        ("0,a,m,60,0.5", "row 3: patient_id stands twice"),
    ],
)
def test_a_wrong_prediction_is_named(line: str, said: str, tmp_path: Path) -> None:
    """File, row and column."""
    file = tmp_path / "p.csv"
    file.write_text(f"patient_id,cohort,model,days,survival\n0,a,m,60,0.1\n{line}\n")
    with pytest.raises(CohortError, match=f"p.csv: {said}"):
        read_published(file)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    """Before any row is read."""
    file = tmp_path / "p.csv"
    file.write_text("patient_id,cohort,model,survival\n")
    with pytest.raises(CohortError, match=r"p.csv: column days is missing"):
        read_published(file)


def test_calibration_by_hand() -> None:
    """Everybody is told 40 %; in each tenth of twenty, eight live beyond the horizon: observed .4 by Kaplan-Meier."""
    patients = msgspec.structs.replace(
        cohort(200), time=np.tile(np.where(np.arange(20) < 8, 900.0, 100.0), 10), event=np.ones(200, dtype=bool)
    )
    curve = calibration_curve(np.full((200, GRID_POINTS), 0.4), patients)
    assert curve is not None
    assert (curve.horizon, len(curve.points)) == ("24 months", 10)
    assert {(p.predicted, p.observed.value, p.patients) for p in curve.points} == {(0.4, 0.4, 20)}
    assert curve.points[0].observed.high - 0.4 == pytest.approx(1.96 * np.sqrt(0.4 * 0.6 / 20), rel=1e-4)
    assert calibration_curve(np.full((200, GRID_POINTS), np.nan), patients) is None


def test_stage_and_type_alone(patients: Cohort) -> None:
    """A linear model of stage group, M1 and cancer type; where no stage has weights there is none."""
    table = Table.of(select_inputs(patients, CATALOGUE), patients, CATALOGUE)
    made = comparators(table, fit_ridge(table, np.ones(len(table.inputs.keys))))
    assert set(made.weights[STAGE_ONLY]) == {"stage_uicc_stage", "stage_m1", *table.inputs.entities}
    ages = table.only(("demo_age_at_baseline",))
    assert STAGE_ONLY not in comparators(ages, fit_ridge(ages, np.ones(len(ages.inputs.keys)))).weights


def test_in_the_acute_setting_a_logistic_model_stands_beside_ours(
    patients: Cohort, truth: dict[str, np.ndarray]
) -> None:
    """Out of fold at each horizon that enough patients reach, with boosting among the models; and it is all printed."""
    acute = msgspec.structs.replace(patients, setting=np.full(300, "acute"), time=patients.time / 6)
    predictions = Predictions(acute, deal(acute, 0, 2), dict(truth), {}, {}, {}, {})
    result = evaluate_fully(predictions, CATALOGUE, bootstraps=3)["made_up"]
    assert {(row.model, row.days) for row in result.horizons} >= {("ridge-logistic", 60), ("ridge-logistic", 180)}
    assert all(row.auc["ridge-logistic"].value > 0.6 for row in result.horizons)
    assert "network - boosted-cox" in result.differences
    text = evaluation_text(Evaluation({"acute": {"made_up": result}}))
    assert "UICC stage: " in text
    assert "not available: ECOG (0 patients)" in text
    assert "ridge-logistic at 180 days: " in text
    tables = comparator_tables(result)
    assert "| UICC stage | " in tables
    assert "| ridge-logistic | 180 | " in tables


def test_an_older_evaluation_can_still_be_read() -> None:
    """One that was written before these comparisons existed has none of them."""
    old = {
        "patients": 1, "deaths": 1, "entities": 1, "folds": "external", "models": {}, "differences": {},
        "blanking": {}, "coverage": {},
    }  # fmt: skip
    found = msgspec.convert(old, CohortEvaluation)
    assert (found.comparators, found.horizons, found.calibration_curve) == ([], [], None)
    assert comparator_tables(found) == ""
