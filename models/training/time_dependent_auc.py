"""Cumulative/dynamic AUC at a horizon: whether those who died by then have higher risks than those who lived on."""

import numpy as np
from numpy.typing import NDArray

from models.training.concordance import groups

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
CHUNK = 4_000_000  # comparisons at a time


def auc(
    risk: Array,
    time: Array,
    event: Flags,
    entry: Array,
    horizon: float,
    censoring: Array,
    group: NDArray[np.generic] | None = None,
) -> float:
    """IPCW estimate (Uno et al., JASA 2007; Heagerty's cumulative cases, dynamic controls); NaN without a pair.

    Cases died by `horizon` and weigh 1 / G just before their death (`censoring` [n], from `censoring_survival`);
    controls lived beyond it. As in `uno`, a control counts for the deaths after its entry only, equal risks count
    half, and with `group` only pairs inside a group count.
    """
    case, control = event & (time <= horizon) & (censoring > 0), time > horizon
    weight = np.where(case, 1 / np.where(case, censoring, 1.0), 0.0)
    won = total = 0.0
    for rows in groups(len(risk), group):
        cases, controls = rows[case[rows]], rows[control[rows]]
        higher, counted = _beaten(risk[cases], risk[controls], time[cases], entry[controls])
        won += float((weight[cases] * higher).sum())
        total += float((weight[cases] * counted).sum())
    return won / total if total else float("nan")


def _beaten(case_risk: Array, control_risk: Array, died: Array, entry: Array) -> tuple[Array, Array]:
    """For each case: controls with a lower risk (equal ones half), and controls in all; not yet entered ones apart."""
    ordered = np.sort(control_risk)
    below, upto = (np.searchsorted(ordered, case_risk, side=side) for side in ("left", "right"))
    higher, counted = (below + upto) / 2, np.full(len(case_risk), float(len(control_risk)))
    late = np.flatnonzero(entry > 0)
    for part in np.array_split(np.arange(len(died)), len(died) * len(late) // CHUNK + 1):
        unseen = entry[late][None, :] >= died[part][:, None]
        difference = np.sign(case_risk[part][:, None] - control_risk[late][None, :])
        higher[part] -= (unseen * (difference + 1) / 2).sum(axis=1)
        counted[part] -= unseen.sum(axis=1)
    return higher, counted
