"""Bootstrap of the C-index: how often each patient was drawn weighs the pairs, so all resamples are one product.

A resample counts pair (i, j) as often as i was drawn times j was drawn; for B resamples that is c_i · (M c)_i summed
over the deaths i, with the matrix M of concordant pairs and the draws c [n, B]. M has 0, 1/2 and 1 as entries, so
float32 is exact.
"""

import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort
from models.training.concordance import groups
from models.training.evaluation_report import Interval
from models.training.reference_groups import rounded

Array = NDArray[np.float64]
Draws = NDArray[np.float32]
CHUNK = 4_000_000  # pairs at a time


def draws(n: int, bootstraps: int, seed: int) -> Draws:
    """How often each of `n` patients is in the cohort itself (once) and in each bootstrap sample, [n, 1 + B]."""
    random = np.random.default_rng(seed)
    samples = [np.bincount(random.integers(0, n, n), minlength=n) for _ in range(bootstraps)]
    return np.stack([np.ones(n), *samples], axis=1).astype(np.float32)


class PairSamples:
    """Harrell's C (as `concordance.harrell`) on the cohort and on its resamples; only pairs inside a group count."""

    def __init__(self, cohort: Cohort, group: NDArray[np.intp], drawn: Draws) -> None:
        self._cohort, self._group, self._drawn = cohort, group, drawn
        # Later means a larger place: by time, and at the same time a death before a censoring.
        _, rank = np.unique(cohort.time, return_inverse=True)
        self._place = 2 * rank + ~cohort.event
        self._comparable: Array | None = None

    def c(self, risk: Array) -> Array:
        """C of `risk` [n], [1 + B]: the estimate first. NaN where a sample has no comparable pair."""
        if self._comparable is None:
            self._comparable = self._counted(None)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self._counted(risk) / self._comparable)

    def rows(self, which: NDArray[np.bool_]) -> "PairSamples":
        """The same resamples of a part of the patients."""
        return PairSamples(self._cohort.rows(which), self._group[which], self._drawn[which])

    def drawn(self, other: Draws) -> "PairSamples":
        """The same pairs in other resamples."""
        return PairSamples(self._cohort, self._group, other)

    def _counted(self, risk: Array | None) -> Array:
        """Comparable pairs, or the concordant ones of `risk`, in each sample."""
        total = np.zeros(self._drawn.shape[1])
        for members in groups(len(self._group), self._group):
            deaths = members[self._cohort.event[members]]
            for part in np.array_split(deaths, len(deaths) * len(members) // CHUNK + 1):
                pairs = self._later(part, members)
                counted = pairs.astype(np.float32) if risk is None else _concordant(pairs, risk[part], risk[members])
                product = counted @ self._drawn[members]
                total += (product * self._drawn[part]).sum(axis=0, dtype=np.float64)
        return total

    def _later(self, deaths: NDArray[np.intp], members: NDArray[np.intp]) -> NDArray[np.bool_]:
        later = self._place[members][None, :] > self._place[deaths][:, None]
        entry = self._cohort.entry[members]
        if entry.any():
            later &= entry[None, :] < self._cohort.time[deaths][:, None]
        return np.asarray(later)


def _concordant(pairs: NDArray[np.bool_], of_deaths: Array, of_members: Array) -> Draws:
    higher = of_deaths[:, None] > of_members[None, :]
    equal = of_deaths[:, None] == of_members[None, :]
    return np.asarray((pairs & higher) + np.float32(0.5) * (pairs & equal), dtype=np.float32)


def interval(samples: Array) -> Interval | None:
    """The estimate (first) with the 2.5 % and 97.5 % quantiles of its bootstrap; None where there is no estimate."""
    if np.isnan(samples[0]):
        return None
    resampled = samples[1:][~np.isnan(samples[1:])]
    low, high = np.quantile(resampled, [0.025, 0.975]) if len(resampled) else (samples[0], samples[0])
    return Interval(rounded(samples[0]), rounded(low), rounded(high))
