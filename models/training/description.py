"""What a cohort file holds: rows, deaths, follow-up, cancer types, how many patients have which parameter."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.build_record import BuildRecord
from models.training.cohort import NOBODY_DIED, Cohort, added
from models.training.race import NOT_STATED


class ParameterCoverage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Patients who have a parameter, deaths among them, and how many of them are positive (binary ones)."""

    patients: int
    deaths: int
    positives: int | None = None


class CohortDescription(msgspec.Struct, frozen=True):
    """`cohorts`, `entities`, `races` hold patients and deaths; `follow_up_days` the quartiles of those who are alive.

    `time_zero`, `excluded` and a part of `out_of_range` come from the record of the build; without one the first is
    None: the file itself does not say when its clock starts, nor who was left out.
    """

    patients: int
    deaths: int
    cohorts: dict[str, tuple[int, int]]
    settings: dict[str, int]
    time_zero: str | None
    delayed_entries: int
    follow_up_days: tuple[float, float, float] | None
    entities: dict[str, tuple[int, int]]
    without_entity: int
    races: dict[str, tuple[int, int]]
    without_race: int
    parameters: dict[str, ParameterCoverage]
    excluded: dict[str, int]
    out_of_range: dict[str, int]
    notices: tuple[str, ...]


def describe(cohort: Cohort, schema: FeatureSchema, record: BuildRecord | None = None) -> CohortDescription:
    """Counts of a cohort; parameters that nobody has are left out."""
    alive = cohort.time[~cohort.event]
    return CohortDescription(
        patients=len(cohort),
        deaths=int(cohort.event.sum()),
        cohorts=_counts(cohort.cohort, cohort.event),
        settings={name: patients for name, (patients, _) in _counts(cohort.setting, cohort.event).items()},
        time_zero=record.time_zero if record else None,
        delayed_entries=int((cohort.entry > 0).sum()),
        follow_up_days=_quartiles(alive) if len(alive) else None,
        entities=_counts(cohort.entity[cohort.entity != ""], cohort.event[cohort.entity != ""]),
        without_entity=int((cohort.entity == "").sum()),
        races=_counts(cohort.race[cohort.race != NOT_STATED], cohort.event[cohort.race != NOT_STATED]),
        without_race=int((cohort.race == NOT_STATED).sum()),
        parameters=_parameters(cohort, schema),
        excluded=record.excluded if record else {},
        out_of_range=added([cohort.out_of_range, record.out_of_range if record else {}]),
        notices=notices(cohort),
    )


def notices(cohort: Cohort) -> tuple[str, ...]:
    """What makes a well-formed cohort less useful than it looks; each names the column."""
    found = []
    if not cohort.event.any():
        found.append(NOBODY_DIED)
    entities = set(cohort.entity.tolist())
    if len(entities) == 1:
        only = entities.pop() or "empty"
        found.append(f"entity is {only} in every row: figures within an entity equal the pooled ones")
    return tuple(found)


def _counts(names: NDArray[np.str_], event: NDArray[np.bool_]) -> dict[str, tuple[int, int]]:
    """Patients and deaths by name."""
    return {name: (int((names == name).sum()), int(event[names == name].sum())) for name in sorted(set(names.tolist()))}


def _quartiles(days: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float, float, float]:
    low, middle, high = (float(value) for value in np.quantile(days, [0.25, 0.5, 0.75]))
    return low, middle, high


def _parameters(cohort: Cohort, schema: FeatureSchema) -> dict[str, ParameterCoverage]:
    found = {}
    for feature in schema.features:
        column = cohort.values[:, schema.index[feature.key]]
        known = ~np.isnan(column)
        if feature.is_entity or not known.any():
            continue
        positives = int((column == 1).sum()) if feature.kind == "binary" else None
        found[feature.key] = ParameterCoverage(int(known.sum()), int(cohort.event[known].sum()), positives)
    return found
