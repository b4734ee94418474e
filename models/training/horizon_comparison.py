"""Who is dead by a day: logistic models and published predictions beside the network, on the same patients."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort
from models.training.evaluation_report import BOOSTED, LOGISTIC, NETWORK, RIDGE, HorizonRow
from models.training.logistic import known_at
from models.training.published import Published
from models.training.resampling import PairSamples, draws, interval
from models.training.score_comparison import LEAST_DEATHS, LEAST_PATIENTS

Array = NDArray[np.float64]

OURS = (NETWORK, RIDGE, BOOSTED)


def horizon_rows(
    cohort: Cohort,
    risk: Mapping[str, Array],
    odds: Mapping[int, Array],
    published: Sequence[Published],
    fold: NDArray[np.intp],
    seed: int,
    bootstraps: int,
) -> list[HorizonRow]:
    """A row per logistic model (`odds` [n] by day), then one per published model that predicted enough of the patients.

    `fold` [n]: only patients of one fold are compared.
    """
    others = [(LOGISTIC, day, column) for day, column in odds.items()]
    others += [(entry.model, entry.days, -entry.of(cohort)) for entry in published]
    rows = []
    for model, days, column in others:
        compared = {name: risk[name] for name in OURS if name in risk} | {model: column}
        if days in odds and not np.isnan(odds[days]).any():
            compared[LOGISTIC] = odds[days]
        row = _row(model, days, cohort, compared, fold, seed, bootstraps)
        if row is not None:
            rows.append(row)
    return rows


def _row(
    model: str,
    days: int,
    cohort: Cohort,
    risk: Mapping[str, Array],
    fold: NDArray[np.intp],
    seed: int,
    bootstraps: int,
) -> HorizonRow | None:
    """None where too few patients have the prediction and an outcome. Being dead by a day is a death on day 1 of 2."""
    known, dead = known_at(cohort, days)
    predicted = ~np.isnan(risk[model])
    rows = np.flatnonzero(known & predicted)
    deaths = int(dead[rows].sum())
    if len(rows) < LEAST_PATIENTS or min(deaths, len(rows) - deaths) < LEAST_DEATHS:
        return None
    time, entry = np.where(dead[rows], 1.0, 2.0), np.zeros(len(rows))
    outcome = msgspec.structs.replace(cohort.rows(rows), time=time, event=dead[rows], entry=entry)
    pairs = PairSamples(outcome, fold[rows], draws(len(rows), bootstraps, seed))
    samples = {name: pairs.c(column[rows]) for name, column in risk.items()}
    auc = {name: interval(sample) for name, sample in samples.items()}
    gains = {f"{NETWORK} - {name}": interval(samples[NETWORK] - sample) for name, sample in samples.items()}
    return HorizonRow(
        model=model,
        days=days,
        patients=len(rows),
        deaths=deaths,
        left_out=int(predicted.sum()) - len(rows),
        auc={name: value for name, value in auc.items() if value is not None},
        differences={
            name: value for name, value in gains.items() if value is not None and name != f"{NETWORK} - {NETWORK}"
        },
    )
