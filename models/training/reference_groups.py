"""What is typical: mean relevance per parameter, and how training patients of one cancer type spread around it."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.manifest import COMMON, ENTITY, SMALLEST_GROUP, Group, TypicalRelevance
from models.network.fitted import Inputs
from models.training.cohort import Cohort, CohortError

QUANTILES = np.linspace(0, 1, 101)
DIGITS = 6  # significant digits of what is stored as text


def reference_groups(
    setting: str,
    inputs: Inputs,
    cohort: Cohort,
    scaled: NDArray[np.float64],
    relevance: NDArray[np.float64],
    schema: FeatureSchema,
) -> dict[str, Group]:
    """The group of the setting and of every entity with at least 50 patients; `scaled`, `relevance` are [n, K]."""
    d = len(inputs.parameters)
    known = np.column_stack([~np.isnan(scaled[:, :d]), cohort.entity != ""])
    terms = np.column_stack([relevance[:, :d], relevance[:, d:].sum(axis=1)])
    keys = (*inputs.parameters, ENTITY)
    groups = {setting: _group(keys, terms, known, cohort.event)}
    for entity in np.unique(cohort.entity[cohort.entity != ""]):
        own = cohort.entity == entity
        if own.sum() >= SMALLEST_GROUP:
            groups[str(entity)] = _group(keys, terms[own], known[own], cohort.event[own])
    return with_common_values(groups, setting, cohort, schema)


def with_common_values(
    groups: Mapping[str, Group], setting: str, cohort: Cohort, schema: FeatureSchema
) -> dict[str, Group]:
    """The groups with the quantiles of their values; `cohort` are the training patients that they were made of.

    Raises CohortError where other patients stand in the cohort: their numbers differ from those of a group.
    """
    found = {}
    for name, group in groups.items():
        own = cohort if name == setting else cohort.rows(cohort.entity == name)
        values = {key: _known(own, key, schema) for key in group.typical if key != ENTITY}
        other = [key for key, column in values.items() if len(column) != group.typical[key].patients]
        if len(own) != group.patients or other:
            what = f"of {other[0]}" if other else "of patients"
            raise CohortError(f"group {name} of {setting}: the number {what} is not that of the package")
        common = {key: _common(column) for key, column in values.items()}
        found[name] = msgspec.structs.replace(group, common=common)
    return found


def _known(cohort: Cohort, key: str, schema: FeatureSchema) -> NDArray[np.float32]:
    column = cohort.values[:, schema.index[key]]
    return column[~np.isnan(column)]


def _common(values: NDArray[np.float32]) -> tuple[float, float]:
    """Quantiles that somebody has: half a level, or a mean of yes and no, is no value."""
    low, high = np.quantile(values, COMMON, method="nearest")
    return rounded(low), rounded(high)


def _group(
    keys: tuple[str, ...], terms: NDArray[np.float64], known: NDArray[np.bool_], event: NDArray[np.bool_]
) -> Group:
    typical: dict[str, TypicalRelevance] = {}
    total = np.zeros(len(terms))
    for i, key in enumerate(keys):
        have = known[:, i]
        if have.sum() < SMALLEST_GROUP:
            continue
        mean = rounded(terms[have, i].mean())
        typical[key] = TypicalRelevance(mean, int(have.sum()), rounded(terms[have, i].std()))
        total += np.where(have, terms[:, i] - mean, 0.0)
    quantiles = tuple(rounded(q) for q in np.quantile(total, QUANTILES))
    return Group(len(terms), int(event.sum()), typical, quantiles)


def rounded(value: float) -> float:
    """Six significant digits: what a stored figure needs, and what a person can read."""
    return float(f"{float(value):.{DIGITS}g}")
