"""Cox's partial likelihood with Breslow's ties, strata and left truncation; ridge by Newton's method.

A patient is at risk in (entry, time]. Sums over risk sets are differences of cumulative sums in sorted order, so one
pass costs O(n log n).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAXIMAL_STEPS = 30
NO_PENALTY = 1e-9  # keeps the equations solvable where a column does not vary
CONVERGED = 1e-7  # relative change of the penalised log-likelihood


class RiskSets:
    """Who is at risk at each distinct death time of each stratum. G death times, n patients."""

    def __init__(self, entry: Array, time: Array, event: NDArray[np.bool_], stratum: NDArray[np.generic]) -> None:
        self.event = event
        _, code = np.unique(stratum, return_inverse=True)
        deaths = np.array(sorted(set(zip(code[event].tolist(), time[event].tolist(), strict=True)))).reshape(-1, 2)
        self.death_stratum = deaths[:, 0].astype(np.intp)
        self.death_time = deaths[:, 1]
        self._by_time = np.lexsort((time, code))
        late = np.flatnonzero(entry > 0)
        self._by_entry = late[np.lexsort((entry[late], code[late]))]
        # Positions in the sorted orders: at risk at t are those of the stratum with time >= t, without entry >= t.
        self._from = _places(code[self._by_time], time[self._by_time], self.death_stratum, self.death_time)
        self._until = np.searchsorted(code[self._by_time], self.death_stratum, "right")
        self._late_from = _places(code[self._by_entry], entry[self._by_entry], self.death_stratum, self.death_time)
        self._late_until = np.searchsorted(code[self._by_entry], self.death_stratum, "right")
        # For each patient, the death times in (entry, time].
        self._first_death = _places(self.death_stratum, self.death_time, code, entry, "right")
        self._after_death = _places(self.death_stratum, self.death_time, code, time, "right")
        place = _places(self.death_stratum, self.death_time, code[event], time[event])
        self.deaths = np.bincount(place, minlength=len(deaths)).astype(np.float64)

    def at_risk(self, weights: Array) -> Array:
        """Sum of `weights` [n, ...] over each risk set, [G, ...]."""
        total = _cumulated(weights[self._by_time])
        late = _cumulated(weights[self._by_entry])
        kept = total[self._until] - total[self._from]
        return np.asarray(kept - (late[self._late_until] - late[self._late_from]))

    def exposure(self, per_death_time: Array) -> Array:
        """Sum of `per_death_time` [G] over the death times at which each patient was at risk, [n]."""
        total = _cumulated(per_death_time)
        return np.asarray(total[self._after_death] - total[self._first_death])

    def log_likelihood(self, risk: Array) -> float:
        """Breslow's partial log-likelihood of log-risks [n]."""
        shift = risk.max(initial=0.0)
        sums = self.at_risk(np.exp(risk - shift))
        return float(risk[self.event].sum() - (self.deaths * (np.log(sums) + shift)).sum())

    def hazard(self, risk: Array) -> Array:
        """Breslow's increments of the cumulative baseline hazard, [G]."""
        return self.deaths / self.at_risk(np.exp(risk))


def ridge_cox(design: Array, sets: RiskSets, strength: Array, start: Array | None = None) -> Array:
    """Coefficients [K] that maximise log-likelihood - sum(strength * beta^2) / 2; `design` [n, K], `strength` [K]."""
    beta = np.zeros(design.shape[1]) if start is None else start
    value = _penalised(design, sets, strength, beta)
    for _ in range(MAXIMAL_STEPS):
        gradient, curvature = _derivatives(design, sets, beta)
        step: Array = np.linalg.solve(curvature + np.diag(strength), gradient - strength * beta).astype(np.float64)
        beta, improved = _line_search(design, sets, strength, beta, step, value)
        if improved - value <= CONVERGED * abs(value):
            return beta
        value = improved
    return beta


def coefficients(design: Array, sets: RiskSets) -> tuple[Array, Array]:
    """Unpenalised coefficients [K] and their covariance [K, K], by the inverse information (Wald)."""
    beta = ridge_cox(design, sets, np.full(design.shape[1], NO_PENALTY))
    _, curvature = _derivatives(design, sets, beta)
    return beta, np.asarray(np.linalg.inv(curvature), dtype=np.float64)


def _derivatives(design: Array, sets: RiskSets, beta: Array) -> tuple[Array, Array]:
    """Gradient [K] and negative Hessian [K, K] of the partial log-likelihood."""
    risk = design @ beta
    weight = np.exp(risk - risk.max())
    sums = sets.at_risk(weight)
    expected = weight * sets.exposure(sets.deaths / sums)
    gradient = design.T @ (sets.event - expected)
    means = sets.at_risk(weight[:, None] * design) / sums[:, None]
    curvature = (design * expected[:, None]).T @ design - (means * sets.deaths[:, None]).T @ means
    return gradient, curvature


def _line_search(
    design: Array, sets: RiskSets, strength: Array, beta: Array, step: Array, value: float
) -> tuple[Array, float]:
    """Halve the Newton step until the penalised likelihood does not fall."""
    for _ in range(10):
        tried = beta + step
        reached = _penalised(design, sets, strength, tried)
        if reached >= value:
            return tried, reached
        step = step / 2
    return beta, value


def _penalised(design: Array, sets: RiskSets, strength: Array, beta: Array) -> float:
    return sets.log_likelihood(design @ beta) - float((strength * beta**2).sum()) / 2


def _cumulated(values: Array) -> Array:
    """Running sums with a leading zero."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


def _places(
    stratum: NDArray[np.intp], value: Array, of_stratum: NDArray[np.intp], of_value: Array, side: str = "left"
) -> NDArray[np.intp]:
    """Binary search in an array that is sorted by stratum, then by value."""
    levels, rank = np.unique(np.concatenate([value, of_value]), return_inverse=True)
    size = len(levels) + 1
    keys, wanted = stratum * size + rank[: len(value)], of_stratum * size + rank[len(value) :]
    return np.searchsorted(keys, wanted, side=side)  # type: ignore[call-overload, no-any-return]
