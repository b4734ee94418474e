"""Where a patient stands among the training patients of the same cancer type and setting."""

import math
from functools import cache
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.manifest import ENTITY, Group

Category = Literal["more favourable", "about as usual", "less favourable", "unclear"]

FAVOURABLE, UNFAVOURABLE = 25, 75  # percentiles
CROSSING = 15  # points by which the range may cross a limit before the category is unclear
NORMAL_90 = 1.645
SHARED = 2.0  # how much wider the interval is than members would say that share no patients
MEASURED_LEVEL = 0.9  # of the true log-risks that it holds, on planted truth
STUDENT_90 = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943, 7: 1.895, 8: 1.860, 9: 1.833}


class Position(msgspec.Struct, frozen=True):
    """`percentile` of 100 (100 = least favourable) with its nominal 90 % range.

    `group` is an entity key or the setting, `patients` its size, `parameters` how many inputs were compared.
    """

    percentile: int
    low: int
    high: int
    group: str
    patients: int
    parameters: int
    category: Category


def position(
    relevance: NDArray[np.floating],
    observed: NDArray[np.bool_],
    members: NDArray[np.floating],
    group: Group,
    name: str,
    schema: FeatureSchema,
) -> Position:
    """Percentile of the sum of (relevance - typical) over the group's parameters; what is missing counts as typical.

    `relevance` [350], `observed` [350], `members` [M].
    """
    total, half = compared(relevance, observed, members, group, schema)
    percentile, low, high = _percentiles(np.array([total, total - half, total + half]), group)
    category = _category(percentile, low, high)
    return Position(percentile, low, high, name, group.patients, len(group.typical), category)


def compared(
    relevance: NDArray[np.floating],
    observed: NDArray[np.bool_],
    members: NDArray[np.floating],
    group: Group,
    schema: FeatureSchema,
) -> tuple[float, float]:
    """The sum of (relevance - typical) over the group's parameters, and half the width of the 90 % range of log-risk.

    The range holds the spread of the ensemble (prediction interval of a mean of M) and what the missing inputs could
    add, by their spread among the training patients.
    """
    total = unknown = 0.0
    by_column, known = relevance.tolist(), observed.tolist()  # numbers of Python: one at a time they are quicker
    of_type = relevance[schema.entity_columns]
    for key, typical in group.typical.items():
        if key == ENTITY:  # one without weights says as little as none
            is_known, said = bool(of_type.any()), float(of_type.sum())
        else:
            column = schema.index[key]
            is_known, said = known[column], by_column[column]
        if is_known:
            total += said - typical.value
        else:
            unknown += typical.spread**2
    return total, float(np.hypot(ensemble_half_width(members), NORMAL_90 * np.sqrt(unknown)))


def percentiles(
    relevance: NDArray[np.floating], observed: NDArray[np.bool_], group: Group, schema: FeatureSchema
) -> NDArray[np.int64]:
    """The percentile of `position` for many patients at once: `relevance` and `observed` are [N, 350]."""
    typical = {key: one.value for key, one in group.typical.items() if key != ENTITY}
    columns = [schema.index[key] for key in typical]
    distance = relevance[:, columns] - np.array(list(typical.values()))
    total = np.where(observed[:, columns], distance, 0.0).sum(axis=1)
    if ENTITY in group.typical:
        of_type = relevance[:, schema.entity_columns]
        total += np.where((of_type != 0).any(axis=1), of_type.sum(axis=1) - group.typical[ENTITY].value, 0.0)
    return np.array(_percentiles(total, group), dtype=np.int64)


def supported_risk(relevance: NDArray[np.floating], group: Group, schema: FeatureSchema) -> float:
    """The part of the log-risk that comes from the group's parameters, which its patients can vouch for."""
    columns = [schema.entity_columns if key == ENTITY else schema.index[key] for key in group.typical]
    return float(sum(np.sum(relevance[column]) for column in columns))


def ensemble_half_width(members: NDArray[np.floating]) -> NDArray[np.float64]:
    """SHARED * t(M - 1, .95) * s * sqrt(1 + 1 / M) of `members` [..., M]; 0 for a single member.

    t * s * sqrt(1 + 1 / M) is nominally the 90 % prediction interval of a mean of M. Members share three quarters of
    their patients, and miss the same: on planted truth it held far fewer, twice as wide it held 90 % (docs/planted.md).
    """
    count = members.shape[-1]
    if count < 2:
        return np.zeros(members.shape[:-1])
    student = STUDENT_90.get(count - 1, NORMAL_90)
    spread = members.astype(np.float64).std(axis=-1, ddof=1)
    return np.asarray(SHARED * student * spread * math.sqrt(1 + 1 / count))


def _percentiles(totals: NDArray[np.floating], group: Group) -> list[int]:
    """Share of the group below each total; a value that many patients share stands at the middle of their ranks."""
    quantiles = np.asarray(group.quantiles)
    grid = _ranks(len(quantiles))
    below, upto = np.searchsorted(quantiles, totals, "left"), np.searchsorted(quantiles, totals, "right")
    between = np.interp(totals, quantiles, grid)
    return [
        round(float(grid[first:last].mean() if last > first else place))
        for first, last, place in zip(below, upto, between, strict=True)
    ]


@cache
def _ranks(count: int) -> NDArray[np.float64]:
    """The percentiles that so many quantiles are."""
    return np.linspace(0, 100, count)


def _category(percentile: int, low: int, high: int) -> Category:
    if percentile < FAVOURABLE:
        return "more favourable" if high <= FAVOURABLE + CROSSING else "unclear"
    if percentile > UNFAVOURABLE:
        return "less favourable" if low >= UNFAVOURABLE - CROSSING else "unclear"
    usual = low >= FAVOURABLE - CROSSING and high <= UNFAVOURABLE + CROSSING
    return "about as usual" if usual else "unclear"
