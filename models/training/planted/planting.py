"""A synthetic cohort over all parameters whose hazard is known: what a training must find, and nothing else."""

from collections.abc import Collection

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.network.scaling import fit_scaling
from models.training.cohort import Cohort
from models.training.planted.truth import PlantedPair, Truth, parameters_of, planted_truth
from models.training.planted.values import draw_entities, draw_values
from models.training.race import NOT_STATED

Array = NDArray[np.float64]

NAME = "planted"
TIME_ZERO = "diagnosis (made up)"
WEIBULL_SHAPE = 1.2
WEIBULL_DAYS = 1400.0  # scale at log-risk 0: about 37 % live longer
FOLLOW_UP = (360.0, 5400.0)  # days of administrative censoring, uniform
LOST_DAYS = 12000.0  # mean time to being lost from view, exponential


class PlantedCohort(msgspec.Struct, frozen=True):
    """Patients with their `true_risk` [n], and what each parameter adds to it: `contribution` [n, 350].

    A pair's effect is halved between its two parameters. The patient of whom nothing is known has 0.
    """

    cohort: Cohort
    truth: Truth
    true_risk: Array
    contribution: Array

    def rows(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "PlantedCohort":
        return PlantedCohort(self.cohort.rows(which), self.truth, self.true_risk[which], self.contribution[which])


def plant(
    patients: int, seed: int, schema: FeatureSchema, truth: Truth | None = None, setting: str = "diagnosis"
) -> PlantedCohort:
    """Draw `patients` with Weibull times under the truth (default: that of parameters.csv).

    The same arguments give the same cohort. Raises ValueError for a schema with a parameter that has no row.
    """
    rows, random = parameters_of(schema), np.random.default_rng(seed)
    truth = truth or planted_truth()
    entity = draw_entities(rows, patients, random)
    values = draw_values(schema, rows, entity, random)
    contribution = contributions(values, truth, schema)
    risk = contribution.sum(axis=1)
    time, event = _times(risk, random)
    cohort = Cohort(
        patient_id=np.array([f"planted-{seed}-{number}" for number in range(patients)]),
        cohort=np.full(patients, NAME),
        setting=np.full(patients, setting),
        entity=entity,
        race=np.full(patients, NOT_STATED),
        entry=np.zeros(patients),
        time=time,
        event=event,
        values=values,
    )
    return PlantedCohort(cohort, truth, risk, contribution)


def only(planted: PlantedCohort, keys: Collection[str], schema: FeatureSchema) -> PlantedCohort:
    """The same patients, of whom no parameter but `keys` was measured; cancer types stay.

    Raises ValueError where a parameter that acts is left out: the hazard would no longer be that of the cohort.
    """
    left_out = set(acting(planted.truth)) - set(keys)
    if left_out:
        raise ValueError(f"{min(left_out)} acts and cannot be left out")
    values = planted.cohort.values.copy()
    values[:, [i for i, f in enumerate(schema.features) if not f.is_entity and f.key not in keys]] = np.nan
    cohort = msgspec.structs.replace(planted.cohort, values=values)
    return PlantedCohort(cohort, planted.truth, planted.true_risk, planted.contribution)


def contributions(values: NDArray[np.float32], truth: Truth, schema: FeatureSchema) -> Array:
    """What each parameter adds to the log-hazard, [n, 350]: 0 where it is missing, 0 on average where it is known."""
    added = np.zeros(values.shape)
    for key, effect in truth.effects.items():
        added[:, schema.index[key]] += effect * _centred(values, key, schema)
    for pair in truth.pairs:
        both = interaction(values, pair, schema)
        for key in pair.keys:
            added[:, schema.index[key]] += both / 2
    entities = np.array([truth.entities.get(key, 0.0) for key in schema.entities])
    onehot = np.nan_to_num(values[:, schema.entity_columns]).astype(np.float64)
    mean = (onehot @ entities).sum() / max(1.0, onehot.sum())
    added[:, schema.entity_columns] = onehot * (entities - mean)
    return added


def interaction(values: NDArray[np.float32], pair: PlantedPair, schema: FeatureSchema) -> Array:
    """What a pair adds to the log-hazard together, [n]: 0 where either is missing."""
    return np.asarray(pair.effect * _centred(values, pair.first, schema) * _centred(values, pair.second, schema))


def acting(truth: Truth) -> tuple[str, ...]:
    """The parameters, without entities, that do anything."""
    return tuple(dict.fromkeys([*truth.effects, *(key for pair in truth.pairs for key in sorted(pair.keys))]))


def _centred(values: NDArray[np.float32], key: str, schema: FeatureSchema) -> Array:
    """Scaled value minus its mean among those who have it; 0 where it is missing, or does not vary."""
    column = values[:, schema.index[key]].astype(np.float64)
    observed = ~np.isnan(column)
    scaling = fit_scaling(schema[key], column[observed]) if observed.any() else None
    if scaling is None:
        return np.zeros(len(column))
    scaled = scaling(column)
    return np.where(observed, scaled - scaled[observed].mean(), 0.0)


def _times(risk: Array, random: np.random.Generator) -> tuple[Array, NDArray[np.bool_]]:
    """Whole days under observation, and whether they end with death."""
    hazard = random.exponential(size=len(risk)) / np.exp(risk)
    death = WEIBULL_DAYS * hazard ** (1 / WEIBULL_SHAPE)
    censored = np.minimum(random.uniform(*FOLLOW_UP, len(risk)), random.exponential(LOST_DAYS, len(risk)))
    return np.ceil(np.minimum(death, censored)), death <= censored
