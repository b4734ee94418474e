"""How well one model ranks and calibrates on one cohort."""

import numpy as np
from numpy.typing import NDArray

from models.training.calibration import calibration_slope
from models.training.calibration_index import calibration_at
from models.training.concordance import censoring_survival, uno
from models.training.cox import RiskSets
from models.training.evaluation_report import Calibration, Interval, ModelScores
from models.training.held_out import HeldOut
from models.training.recalibration import cross_fitted
from models.training.reference_groups import rounded
from models.training.resampling import interval
from models.training.survival_scores import brier_by_horizon, supported
from models.training.time_dependent_auc import auc

Array = NDArray[np.float64]

CALIBRATION_BOOTSTRAPS = 50


def model_scores(everybody: HeldOut, model: str) -> ModelScores:
    """Raises ValueError where no two patients can be compared."""
    held = everybody.scored_by(model)
    risk, cohort = held.predictions.risk[model], held.cohort
    samples = held.both(risk)
    pooled = interval(samples[:, 0])
    if pooled is None:
        raise ValueError("no comparable pair of patients")
    censoring = censoring_survival(cohort.time, cohort.event, cohort.entry)
    columns = risk, cohort.time, cohort.event, cohort.entry
    days = held.horizons.days
    survival = held.predictions.survival.get(model)
    brier, integrated, until = ({}, None, "") if survival is None else _brier(held, survival)
    return ModelScores(
        pooled=pooled,
        within=interval(samples[:, 1]),
        uno=_known({label: uno(*columns, day, censoring, held.fold) for label, day in days.items()}),
        brier=_known(brier),
        integrated_brier=None if integrated is None else rounded(integrated),
        slope=slope_of(held, risk),
        auc=_known(
            {
                label: auc(*columns, day, censoring, held.fold)
                for label, day in days.items()
                if supported(cohort.time, day)
            }
        ),
        integrated_brier_until=until,
        before=None if survival is None else _calibration(held, risk, survival),
        after=_after(held, risk),
        patients=None if held is everybody else len(cohort),
    )


def slope_of(held: HeldOut, risk: Array) -> Interval | None:
    cohort = held.cohort
    return calibration_slope(risk, RiskSets(cohort.entry, cohort.time, cohort.event, held.fold))


def _known(by_horizon: dict[str, float]) -> dict[str, float]:
    return {label: rounded(value) for label, value in by_horizon.items() if not np.isnan(value)}


def _brier(held: HeldOut, survival: Array) -> tuple[dict[str, float], float | None, str]:
    """Of patients who were under observation from time zero on."""
    early = held.cohort.entry == 0
    return brier_by_horizon(survival[early], held.cohort.time[early], held.cohort.event[early], held.horizons)


def _after(held: HeldOut, risk: Array) -> Calibration | None:
    """Calibration of what a recalibration on other patients says; none where there are no others."""
    if len(np.unique(held.recalibration_fold)) < 2:
        return None
    found = cross_fitted(risk, held.cohort, held.recalibration_fold, held.horizons.grid_days)
    return _calibration(held, found.risk, found.survival)


def _calibration(held: HeldOut, risk: Array, survival: Array) -> Calibration:
    """Horizons of which every patient has a prediction; patients who were observed from time zero on."""
    early = held.cohort.entry == 0
    time, event, drawn = held.cohort.time[early], held.cohort.event[early], held.drawn[early]
    horizons = {}
    for label, day in held.horizons.days.items():
        survived = survival[early, held.horizons.column(label)]
        dead = (event & (time <= day)).any()
        if supported(time, day) and dead and not np.isnan(survived).any():
            resamples = drawn[:, : 1 + CALIBRATION_BOOTSTRAPS]
            horizons[label] = calibration_at(1 - survived, time, event, day, resamples)
    return Calibration(slope_of(held, risk), horizons)
