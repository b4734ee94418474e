"""Who is too unlike the training patients to be scored, and what leaving them out does to the ranking."""

import numpy as np
from numpy.typing import NDArray

from models.manifest import Applicability
from models.training.concordance import harrell
from models.training.evaluation_report import AbstentionEffect
from models.training.predictions import Predictions
from models.training.reference_groups import QUANTILES, rounded

Array = NDArray[np.float64]

LIMIT = 0.995  # quantile of held-out distances beyond which nobody is scored: false alarms in 1 of 200


def applicability(distance: Array) -> Applicability:
    """The limit that 1 in 200 of the held-out pictures with these distances [n, 2] pass.

    Whole pictures and such with a random share of the inputs missing count alike: hospitals lack other inputs than the
    cohorts did, and who is known less of is not unusual for that.
    """
    limit = float(np.quantile(distance, LIMIT))
    quantiles = tuple(rounded(value) for value in np.quantile(distance, QUANTILES))
    return Applicability(quantiles, rounded(limit), rounded(float((distance > limit).mean())))


def abstention_effect(own: Predictions, risk: Array, limit: float) -> AbstentionEffect | None:
    """C of everybody and of those who lie within the limit; None where nobody looked at the distance."""
    if own.distance is None or np.isnan(own.distance).any():
        return None
    kept = own.distance[:, 0] <= limit
    return AbstentionEffect(
        int((~kept).sum()), rounded(_c(own, risk, np.ones_like(kept))), rounded(_c(own, risk, kept))
    )


def _c(own: Predictions, risk: Array, rows: NDArray[np.bool_]) -> float:
    cohort = own.cohort.rows(rows)
    return harrell(risk[rows], cohort.time, cohort.event, cohort.entry, group=own.fold[rows])
