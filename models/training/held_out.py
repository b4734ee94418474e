"""One cohort's predictions with what every figure about them needs: who is compared with whom, resamples, horizons."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort
from models.training.horizons import Horizons, horizons_of
from models.training.predictions import Predictions
from models.training.recalibration import recalibration_folds
from models.training.resampling import Draws, PairSamples, draws

Array = NDArray[np.float64]


class HeldOut(msgspec.Struct, frozen=True):
    """Patients who were not trained on, n rows.

    Patients of different folds were scored by different models: only pairs inside a fold are compared. (Across folds a
    type-only model, which must be at .5 within a type, falls to .48: each fold's offset knows what was left out.)
    """

    predictions: Predictions
    drawn: Draws
    pooled: PairSamples
    within: PairSamples
    horizons: Horizons
    recalibration_fold: NDArray[np.intp]
    recalibrated_on: str

    @classmethod
    def of(cls, predictions: Predictions, seed: int, bootstraps: int) -> "HeldOut":
        cohort, fold = predictions.cohort, predictions.fold
        _, kind = np.unique(cohort.entity, return_inverse=True)
        drawn = draws(len(cohort), bootstraps, seed)
        return cls(
            predictions,
            drawn,
            PairSamples(cohort, fold, drawn),
            PairSamples(cohort, fold * (kind.max() + 1) + kind, drawn),
            horizons_of(cohort.setting),
            *recalibration_folds(cohort, fold, seed),
        )

    @property
    def cohort(self) -> Cohort:
        return self.predictions.cohort

    @property
    def fold(self) -> NDArray[np.intp]:
        return self.predictions.fold

    def rows(self, which: NDArray[np.bool_]) -> "HeldOut":
        """Some of the patients, in the same resamples."""
        if which.all():
            return self
        return HeldOut(
            self.predictions.rows(np.flatnonzero(which)),
            self.drawn[which],
            self.pooled.rows(which),
            self.within.rows(which),
            self.horizons,
            self.recalibration_fold[which],
            self.recalibrated_on,
        )

    def fewer_resamples(self) -> "HeldOut":
        """The first half of the resamples: for figures that there are many of."""
        half = self.drawn[:, : 1 + self.drawn.shape[1] // 2]
        pooled, within = self.pooled.drawn(half), self.within.drawn(half)
        return msgspec.structs.replace(self, drawn=half, pooled=pooled, within=within)

    def scored_by(self, *models: str) -> "HeldOut":
        """The patients whom all of these models can score."""
        risks = np.stack([self.predictions.risk[model] for model in models])
        return self.rows(np.asarray(~np.isnan(risks).any(axis=0)))

    def both(self, risk: Array) -> Array:
        """Pooled and within-type C of `risk` [n], on the cohort and on its resamples, [1 + B, 2]."""
        return np.column_stack([self.pooled.c(risk), self.within.c(risk)])
