"""Which parameters get weights: those that enough training patients of the setting have."""

import numpy as np
from numpy.typing import NDArray

from models.features import Feature, FeatureSchema
from models.manifest import TrainedInput
from models.network.fitted import Inputs
from models.network.scaling import fit_scaling
from models.training.cohort import Cohort
from models.training.reference_groups import rounded

PATIENTS = 50  # who have the parameter
EITHER_VALUE = 20  # of a binary one
DEATHS = 5  # among the positives of a binary one or an entity, among all who have any other


def select_inputs(cohort: Cohort, schema: FeatureSchema) -> Inputs:
    """The parameters and entities that may carry weights, with the scaling that their training values call for."""
    scaling = {}
    for feature in schema.features:
        column = cohort.values[:, schema.index[feature.key]].astype(np.float64)
        if _enough(feature, column, cohort.event):
            fitted = fit_scaling(feature, column[~np.isnan(column)])
            if fitted is not None:
                scaling[feature.key] = fitted
    entities = tuple(key for key in scaling if schema[key].is_entity)
    return Inputs(tuple(key for key in scaling if not schema[key].is_entity), entities, scaling)


def _enough(feature: Feature, column: NDArray[np.float64], event: NDArray[np.bool_]) -> bool:
    known = ~np.isnan(column)
    positive = known & (column == 1)
    if feature.is_entity:
        return int(positive.sum()) >= PATIENTS and int(event[positive].sum()) >= DEATHS
    if known.sum() < PATIENTS or event[known].sum() < DEATHS:
        return False
    if feature.kind != "binary":
        return True
    rarer = min(positive.sum(), known.sum() - positive.sum())
    return int(rarer) >= EITHER_VALUE and int(event[positive].sum()) >= DEATHS


def describe_inputs(inputs: Inputs, cohort: Cohort, schema: FeatureSchema) -> dict[str, TrainedInput]:
    """What the manifest says of each input: patients who have it, positives, scaling, and the values they have."""
    described = {}
    for key in inputs.keys:
        column = cohort.values[:, schema.index[key]]
        known = column[~np.isnan(column)]
        positives = int((known == 1).sum()) if schema[key].kind in ("binary", "onehot") else None
        described[key] = TrainedInput(
            patients=positives if schema[key].is_entity and positives is not None else len(known),
            method=inputs.scaling[key].method,
            low=rounded(known.min()),
            high=rounded(known.max()),
            usual=_usual(known) if schema[key].kind == "continuous" else None,
            positives=positives,
        )
    return described


def _usual(known: NDArray[np.float32]) -> tuple[float, float]:
    low, high = np.quantile(known, [0.01, 0.99])
    return rounded(low), rounded(high)
