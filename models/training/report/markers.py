"""Which parameters drive the network on a cohort: key markers, by cancer type too, and relevance against value."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.manifest import ENTITY, SMALLEST_GROUP
from models.setting import Network
from models.training.cohort import Cohort

Array = NDArray[np.float64]

BATCH = 2048
CARRIED = 0.9  # of the mean |relevance - typical|, by the key markers
CURVE_BINS, LEAST_A_BIN = 20, 10
CANCER_TYPE = "Cancer type"


class Relevances(msgspec.Struct, frozen=True):
    """`keys` [K], the cancer type as one; `relevance`, `deviation` from typical (0 if missing), `observed`, [n, K]."""

    keys: tuple[str, ...]
    relevance: Array
    deviation: Array
    observed: NDArray[np.bool_]


class Marker(msgspec.Struct, frozen=True):
    """Mean |relevance - typical| over the patients (0 for who lacks it), its share of all, and who has it."""

    key: str
    label: str
    mean: float
    share: float
    patients: int


class CurveBin(msgspec.Struct, frozen=True):
    """Patients of neighbouring values: median value, median and quartiles of the relevance. Never a single patient."""

    value: float
    median: float
    low: float
    high: float
    patients: int


def relevances(network: Network, cohort: Cohort, schema: FeatureSchema) -> Relevances:
    """What the package's network attributes to each parameter with weights."""
    parts = [network.predictor.relevance(cohort.values[i : i + BATCH])[1] for i in range(0, len(cohort), BATCH)]
    every = np.concatenate(parts).astype(np.float64)
    keys = tuple(key for key in schema.keys if key in network.trained and not schema[key].is_entity)
    columns = np.array([schema.index[key] for key in keys], dtype=np.intp)
    typical = np.zeros((len(cohort), len(schema)))
    for entity in np.unique(cohort.entity):
        typical[cohort.entity == entity] = network.typical(str(entity) or None).value
    observed = np.column_stack([~np.isnan(cohort.values[:, columns]), cohort.entity != ""])
    relevance = np.column_stack([every[:, columns], every[:, schema.entity_columns].sum(axis=1)])
    usual = np.column_stack([typical[:, columns], typical[:, schema.entity_columns[0]]])
    return Relevances((*keys, ENTITY), relevance, np.where(observed, relevance - usual, 0.0), observed)


def markers(of: Relevances, schema: FeatureSchema, rows: NDArray[np.bool_] | None = None) -> list[Marker]:
    """All markers that move the estimate of the patients in `rows` (all of them), the strongest first."""
    which = slice(None) if rows is None else rows
    mean = np.abs(of.deviation[which]).mean(axis=0)
    total = float(mean.sum()) or 1.0
    have = of.observed[which].sum(axis=0)
    order = sorted(np.flatnonzero(mean > 0), key=lambda i: (-mean[i], of.keys[i]))
    return [
        Marker(of.keys[i], label_of(of.keys[i], schema), float(mean[i]), float(mean[i] / total), int(have[i]))
        for i in order
    ]


def key_markers(found: Sequence[Marker]) -> int:
    """How many of the strongest carry CARRIED of the whole."""
    cumulated = np.cumsum([marker.share for marker in found])
    return min(len(found), int(np.searchsorted(cumulated, CARRIED - 1e-9)) + 1) if found else 0


def markers_by_entity(of: Relevances, cohort: Cohort, schema: FeatureSchema) -> dict[str, list[Marker]]:
    """The same within each cancer type that enough patients have."""
    found = {}
    for entity in np.unique(cohort.entity[cohort.entity != ""]):
        rows = cohort.entity == entity
        if rows.sum() >= SMALLEST_GROUP:
            found[str(entity)] = markers(of, schema, rows)
    return found


def curve(of: Relevances, key: str, cohort: Cohort, schema: FeatureSchema) -> list[CurveBin]:
    """Relevance against value, in up to CURVE_BINS groups of at least LEAST_A_BIN patients; none of too few."""
    i = of.keys.index(key)
    rows = np.flatnonzero(of.observed[:, i])
    value = cohort.values[rows, schema.index[key]].astype(np.float64)
    order, bins = np.argsort(value, kind="stable"), min(CURVE_BINS, len(rows) // LEAST_A_BIN)
    found = []
    for part in np.array_split(order, bins) if bins else []:
        low, median, high = np.quantile(of.relevance[rows[part], i], [0.25, 0.5, 0.75])
        found.append(CurveBin(float(np.median(value[part])), float(median), float(low), float(high), len(part)))
    return found


def label_of(key: str, schema: FeatureSchema) -> str:
    return CANCER_TYPE if key == ENTITY else schema[key].label_en
