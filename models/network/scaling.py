"""Canonical value -> [0, 1]: how each parameter enters the network.

A bounded, roughly symmetric parameter is stretched between its 1 % and 99 % training quantiles and clipped there; a
skewed one takes its training rank, so that a tumour marker of 5 and one of 50,000 are both in reach; grades and counts
of few levels go from their smallest to their largest level. Either way the map is piecewise linear between knots.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.features import Feature

Method = Literal["one-hot", "min-max", "quantile", "rank"]
FEW_LEVELS = 12
SKEWED = (0.25, 4.0)  # (q99 - q50) / (q50 - q1) outside of this is skewed
RANK_KNOTS = 101


class Scaling(msgspec.Struct, frozen=True):
    """A piecewise linear map: `knots` ascending in canonical units, `heights` their images in [0, 1]."""

    method: Method
    knots: tuple[float, ...]
    heights: tuple[float, ...]

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Scaled values of the same shape; values beyond the outer knots are clipped, NaN stays NaN."""
        return np.interp(np.asarray(values, dtype=np.float64), self.knots, self.heights)


def fit_scaling(feature: Feature, observed: NDArray[np.float64]) -> Scaling | None:
    """The map that fits the training values `observed` [n] (no NaN); None where they do not vary."""
    if feature.is_entity:
        return Scaling("one-hot", (0.0, 1.0), (0.0, 1.0))
    low, high = float(observed.min()), float(observed.max())
    if low == high:
        return None
    if feature.kind != "continuous" or len(np.unique(observed)) <= FEW_LEVELS:
        return Scaling("min-max", (low, high), (0.0, 1.0))
    first, median, last = (float(q) for q in np.quantile(observed, [0.01, 0.5, 0.99]))
    if first < median and SKEWED[0] <= (last - median) / (median - first) <= SKEWED[1]:
        return Scaling("quantile", (first, last), (0.0, 1.0))
    return _by_rank(observed)


def _by_rank(observed: NDArray[np.float64]) -> Scaling:
    """Knots at the quantiles; a value that fills several quantiles stands once, at the middle of its ranks."""
    ranks = np.linspace(0, 1, RANK_KNOTS)
    knots, place = np.unique(np.quantile(observed, ranks).astype(np.float32), return_inverse=True)
    heights = np.bincount(place, weights=ranks) / np.bincount(place)
    return Scaling("rank", tuple(map(float, knots)), tuple(map(float, heights)))
