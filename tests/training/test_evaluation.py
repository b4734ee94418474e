"""An evaluation of made-up predictions: subgroups, models that cannot score everybody, bars that are missed."""

import msgspec
import numpy as np
import pytest

from models.training.bars import bars_missed
from models.training.card_evaluation import cohort_section
from models.training.evaluation import evaluate, evaluation_of
from models.training.evaluation_report import Calibration, CohortEvaluation, HorizonCalibration, Interval, ModelScores
from models.training.evaluation_text import evaluation_text
from models.training.horizons import LONG, SHORT, horizons_of
from models.training.predictions import Predictions
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()
SMALL = Interval(0.01, 0, 0.02)


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    """A network that knows the stage, a ridge that knows it with noise, a score that half of the patients have."""
    table = cohort(400)
    table.race[:220], table.race[220:225] = "white", "asian"
    stage = np.nan_to_num(table.values[:, CATALOGUE.index["stage_uicc_stage"]], nan=2.5).astype(np.float64)
    noise = np.random.default_rng(0).normal(size=400)
    risk = {"network": 0.6 * stage, "ridge-cox": 0.6 * stage + noise, "score": np.where(noise > 0, stage, np.nan)}
    count = (noise > 0.5).astype(np.float64) + (noise > 1)
    observed, possible = {"tumour": count}, {"tumour": np.full(400, 2.0)}
    survival = {"network": np.exp(-np.arange(1, 11) * 0.02 * np.exp(0.6 * stage - 1)[:, None])}
    scenarios = {"random 25 % removed": {"network": 0.6 * stage + 3 * noise}}
    return Predictions(
        table,
        np.arange(400) % 5,
        risk,
        survival,
        {"stage": risk["network"] + 0.5},
        observed,
        possible,
        "random",
        scenarios,
    )


@pytest.fixture(scope="module")
def result(predictions: Predictions) -> CohortEvaluation:
    return evaluate(predictions, CATALOGUE, 0, 6)["made_up"]


def test_horizons_follow_the_clock_of_the_cohort() -> None:
    """Days for an acute stay, months for all else; every reported one is a point of the grid."""
    assert horizons_of(np.array(["acute", "acute"])) is SHORT
    assert horizons_of(np.array(["acute", "diagnosis"])) is LONG
    assert list(SHORT.days.values()) == [30, 90, 180]
    for horizons in (SHORT, LONG):
        for label, day in horizons.days.items():
            assert horizons.grid_days[horizons.column(label)] == day


def test_subgroups(result: CohortEvaluation) -> None:
    """The cohort, sexes, age bands, races, cancer types, thirds of coverage; patients add up, unknown ones included.

    A race of five patients has no row: fewer than 20 died.
    """
    rows = {(row.kind, row.name): row for row in result.subgroups}
    assert rows["cohort", "made_up"].network == result.subgroups[0].network
    by_kind = {kind: sum(row.patients for row in result.subgroups if row.kind == kind) for kind, _ in rows}
    assert by_kind == dict.fromkeys(("cohort", "sex", "age", "cancer type", "coverage"), 400) | {"race": 395}
    assert {name for kind, name in rows if kind == "race"} == {"white", "not recorded"}
    assert {name for kind, name in rows if kind == "sex"} == {"female", "male", "not recorded"}
    assert {name for kind, name in rows if kind == "coverage"} >= {"lower third (0% to 0% observed)"}
    colon = rows["cancer type", "entity_colon"]
    assert colon.ridge is not None
    assert colon.difference is not None
    assert colon.difference.value == pytest.approx(colon.network.value - colon.ridge.value, abs=1e-5)
    assert all(row.deaths >= 20 for row in result.subgroups)


def test_a_score_that_some_lack_is_judged_on_the_others(result: CohortEvaluation, predictions: Predictions) -> None:
    """Its patients are counted, and the paired difference is over them: the same order of patients, no difference."""
    known = int((~np.isnan(predictions.risk["score"])).sum())
    assert result.models["score"].patients == known
    assert result.models["network"].patients is None
    assert result.differences["network - score"]["pooled"].value == 0


def test_calibration_before_needs_a_baseline(result: CohortEvaluation) -> None:
    """Where none was given there is only the recalibrated one; that one is right on average."""
    network, ridge = result.models["network"], result.models["ridge-cox"]
    assert network.before is not None
    assert ridge.before is None
    assert network.after is not None
    assert ridge.after is not None
    assert set(network.after.horizons) == set(network.auc) == set(ridge.auc)
    assert network.after.slope is not None
    assert network.after.slope.value == pytest.approx(1, abs=0.15)
    assert network.after.horizons["12"].ratio.value == pytest.approx(1, abs=0.1)
    assert network.integrated_brier_until == max(network.brier, key=int)


def test_the_text_and_the_card_show_what_was_computed(result: CohortEvaluation) -> None:
    """Every figure of the text stands in the JSON; the card has the same rows, and says what is missing."""
    evaluation = evaluation_of({"diagnosis": {"made_up": result}}, 6)
    text, card = evaluation_text(evaluation), cohort_section("made_up", result)
    for row in result.subgroups:
        assert f"{row.kind} {row.name}: {row.patients} patients" in text
        assert f"| {row.kind}: {row.name} | {row.patients} |" in card
    for part in (
        "Race is as each source states it",
        "no folds by time",
        "bar missed: diagnosis, made_up",
    ):
        assert part in text
        assert any(part.removeprefix("bar missed: ") in said for said in (*evaluation.notes, *evaluation.bars_missed))
    assert "recalibrated on the other folds" in card
    assert "Not in this evaluation" not in card
    old = msgspec.structs.replace(result, scenarios={}, subgroups=())
    assert "Not in this evaluation: missing data, subgroups." in cohort_section("made_up", old)


def good(result: CohortEvaluation) -> CohortEvaluation:
    """The same cohort with every bar reached."""
    at = HorizonCalibration(0.2, 0.2, Interval(1, 1, 1), SMALL)
    after = Calibration(Interval(1, 0.9, 1.1), {"12": at})
    network = msgspec.structs.replace(result.models["network"], after=after)
    return msgspec.structs.replace(
        result,
        models=result.models | {"network": network},
        blanking={"stage": msgspec.structs.replace(result.blanking["stage"], mean=1.0)},
        scenarios={},
        differences={"network - ridge-cox": {"pooled": SMALL, "within": SMALL}},
    )


def test_a_bar_is_told_when_and_only_when_it_is_missed(result: CohortEvaluation) -> None:
    """Blanking, slope, ICI, missing data, the ridge: one sentence each, none where all are reached."""
    fine = good(result)
    after = fine.models["network"].after
    assert after is not None

    def told(name: str = "made_up", **changes: object) -> list[str]:
        changed = msgspec.structs.replace(fine, **changes)
        return [sentence.partition(": ")[2] for sentence in bars_missed({"diagnosis": {name: changed}})]

    def calibrated(calibration: Calibration) -> dict[str, ModelScores]:
        return fine.models | {"network": msgspec.structs.replace(fine.models["network"], after=calibration)}

    assert told() == []
    assert told(blanking=result.blanking) == [
        "removing stage multiplies the hazard by 1.649 on average (bar .9 to 1.1)"
    ]
    steep = msgspec.structs.replace(after, slope=Interval(1.2, 1.1, 1.3))
    assert told(models=calibrated(steep))[0].startswith("slope after recalibration 1.200")
    far = msgspec.structs.replace(after.horizons["12"], ici=Interval(0.05, 0.04, 0.06))
    assert told(models=calibrated(msgspec.structs.replace(after, horizons={"12": far})))[0].startswith(
        "ICI at 12 months"
    )
    assert told(scenarios=result.scenarios)[0].startswith("C pooled changes by -")
    worse = {"network - ridge-cox": {"pooled": Interval(-0.02, -0.03, -0.01), "within": SMALL}}
    assert told(differences=worse)[0].startswith("C pooled of the network minus that of the ridge -0.0200")
    assert told(differences=worse, folds="external") == []
    assert len(told("support2")) == 1
