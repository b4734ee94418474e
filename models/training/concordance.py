"""Harrell's C in O(n log^2 n), over all pairs or only over pairs of one cancer type; Uno's C at a horizon.

One definition everywhere: a pair counts if the earlier of two times is a death and the other patient was already under
observation (entry < that time); a censoring at the time of the death counts as later; equal risks count half.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def harrell(risk: Array, time: Array, event: Flags, entry: Array, group: NDArray[np.generic] | None = None) -> float:
    """Harrell's C (JAMA 1982); with `group` only pairs inside a group count. NaN without a comparable pair."""
    parts = np.array([pair_counts(risk[i], time[i], event[i], entry[i]) for i in groups(len(risk), group)])
    concordant, comparable = parts.reshape(-1, 2).sum(axis=0)
    return float(concordant / comparable) if comparable else float("nan")


def uno(
    risk: Array,
    time: Array,
    event: Flags,
    entry: Array,
    horizon: float,
    censoring: Array,
    group: NDArray[np.generic] | None = None,
) -> float:
    """Uno's C up to `horizon` (Statist. Med. 2011): pairs weigh 1 / G(t)^2, G the censoring survival before the death.

    `censoring` [n] is G at each patient's time, from `censoring_survival`; `group` as in `harrell`.
    """
    counted = event & (time <= horizon) & (censoring > 0)
    weight = np.zeros(len(risk))
    weight[counted] = 1 / censoring[counted] ** 2
    parts = [pair_counts(risk[i], time[i], counted[i], entry[i], weight[i]) for i in groups(len(risk), group)]
    concordant, comparable = np.array(parts).reshape(-1, 2).sum(axis=0)
    return float(concordant / comparable) if comparable else float("nan")


def pair_counts(
    risk: Array, time: Array, event: Flags, entry: Array, weight: Array | None = None
) -> tuple[float, float]:
    """Concordant (ties half) and comparable pairs; `weight` [n] weighs the pairs of each death."""
    weight = np.ones(len(risk)) if weight is None else weight
    _, rank = np.unique(risk, return_inverse=True)
    # Later means a larger place: by time, and at the same time a death before a censoring.
    order = np.lexsort((~event, time))
    place = np.cumsum((np.diff(time[order], prepend=0) != 0) | (np.diff(event[order], prepend=event[order[:1]]) != 0))
    below, equal = _later(rank[order], place, event[order])
    unseen = _not_yet_entered(risk[order], time[order], event[order], entry[order])
    below, equal = below - unseen[0], equal - unseen[1]
    after = len(place) - np.searchsorted(place, place, side="right") - unseen[2]
    weights = np.where(event[order], weight[order], 0.0)
    return float((weights * (below + 0.5 * equal)).sum()), float((weights * after).sum())


def _later(rank: NDArray[np.intp], place: NDArray[np.intp], event: Flags) -> tuple[Array, Array]:
    """For each patient, how many at later places have a lower rank, and how many an equal one.

    Bottom-up: blocks of 1, 2, 4 … neighbours in time; each left block asks its right neighbour, which is sorted once.
    """
    n, size = len(rank), int(rank.max(initial=0)) + 2
    below, upto = np.zeros(n), np.zeros(n)
    index = np.arange(n)
    # Patients at the same place must not count each other: they are asked for at the first index after their place.
    first_after = np.searchsorted(place, place, side="right")
    block = 1
    while block < n:
        pair = index // (2 * block)
        right = (index // block) % 2 == 1
        keys = np.sort((pair * size + rank)[right])
        left = np.flatnonzero(~right & event)
        start = np.searchsorted(keys, pair[left] * size)
        below[left] += np.searchsorted(keys, pair[left] * size + rank[left]) - start
        upto[left] += np.searchsorted(keys, pair[left] * size + rank[left] + 1) - start
        block *= 2
    return _without_same_place(rank, event, first_after, below, upto)


def _without_same_place(
    rank: NDArray[np.intp], event: Flags, first_after: NDArray[np.intp], below: Array, upto: Array
) -> tuple[Array, Array]:
    """Take away those who come later in the order but stand at the same place."""
    index = np.arange(len(rank))
    tied = np.flatnonzero(event & (first_after > index + 1))
    for i in tied:
        same = rank[i + 1 : first_after[i]]
        below[i] -= (same < rank[i]).sum()
        upto[i] -= (same <= rank[i]).sum()
    return below, upto - below


def _not_yet_entered(risk: Array, time: Array, event: Flags, entry: Array) -> tuple[Array, Array, Array]:
    """For each death: later patients who entered only at or after it, by lower risk, equal risk, in all."""
    late = np.flatnonzero(entry > 0)
    counts = np.zeros((3, len(risk)))
    deaths = np.flatnonzero(event)
    for part in np.array_split(deaths, max(1, len(deaths) * len(late) // 4_000_000 + 1)):
        unseen = entry[late][None, :] >= time[part][:, None]
        counts[0, part] = (unseen & (risk[late][None, :] < risk[part][:, None])).sum(axis=1)
        counts[1, part] = (unseen & (risk[late][None, :] == risk[part][:, None])).sum(axis=1)
        counts[2, part] = unseen.sum(axis=1)
    return counts[0], counts[1], counts[2]


def censoring_survival(time: Array, event: Flags, entry: Array) -> Array:
    """Kaplan-Meier survival of the censoring distribution just before each patient's time, [n]."""
    censored_at = np.unique(time[~event])
    at_risk = np.searchsorted(np.sort(-time), -censored_at, side="right") - np.searchsorted(
        np.sort(-entry), -censored_at, side="right"
    )
    lost = np.searchsorted(np.sort(time[~event]), censored_at, "right") - np.searchsorted(
        np.sort(time[~event]), censored_at, "left"
    )
    steps = np.concatenate([[1.0], np.cumprod(1 - lost / np.maximum(at_risk, 1))])
    return np.asarray(steps[np.searchsorted(censored_at, time, side="left")])


def groups(n: int, group: NDArray[np.generic] | None) -> Iterable[NDArray[np.intp]]:
    """Row numbers of each group; without `group` everybody is in one."""
    if group is None:
        return [np.arange(n)]
    return [np.flatnonzero(group == name) for name in np.unique(group)]
