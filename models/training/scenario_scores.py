"""C with inputs blanked, beside the C of the full picture in the same resamples."""

import numpy as np
from numpy.typing import NDArray

from models.training.evaluation_report import NETWORK, Scenario, ScenarioScores
from models.training.held_out import HeldOut
from models.training.resampling import interval

Array = NDArray[np.float64]


def scenario_rows(everybody: HeldOut) -> dict[str, Scenario]:
    """By scenario; those that change nobody's estimate, or leave nothing but the cancer type, are not there."""
    held, risk = everybody.fewer_resamples(), everybody.predictions.risk
    full: dict[str, Array] = {}
    found = {}
    for name, blanked in everybody.predictions.scenarios.items():
        changed = int((blanked[NETWORK] != risk[NETWORK]).sum())
        if not changed or _only_the_type(held, blanked[NETWORK]):
            continue
        scores = {}
        for model, values in blanked.items():
            if model not in full:
                full[model] = held.both(risk[model])
            scores[model] = _scores(full[model], held.both(values))
        found[name] = Scenario(changed, {model: of for model, of in scores.items() if of is not None})
    return found


def _only_the_type(held: HeldOut, risk: Array) -> bool:
    """Whether all patients of one fold and cancer type have the same risk."""
    groups = list(zip(held.fold.tolist(), held.cohort.entity.tolist(), strict=True))
    return len(set(zip(groups, risk.tolist(), strict=True))) == len(set(groups))


def _scores(full: Array, blanked: Array) -> ScenarioScores | None:
    pooled, change = interval(blanked[:, 0]), interval(blanked[:, 0] - full[:, 0])
    if pooled is None or change is None:
        return None
    return ScenarioScores(pooled, interval(blanked[:, 1]), change, interval(blanked[:, 1] - full[:, 1]))
