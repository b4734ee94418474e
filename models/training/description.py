"""What a cohort file holds: rows, deaths, follow-up, cancer types, how many patients have which parameter."""

import msgspec
import numpy as np

from models.features import FeatureSchema
from models.training.cohort import Cohort


class ParameterCoverage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Patients who have a parameter, deaths among them, and how many of them are positive (binary ones)."""

    patients: int
    deaths: int
    positives: int | None = None


class CohortDescription(msgspec.Struct, frozen=True):
    """`time_zero` by cohort is the setting that names it; `follow_up_days` the quartiles of those who are alive."""

    patients: int
    deaths: int
    cohorts: dict[str, int]
    time_zero: dict[str, str]
    delayed_entries: int
    follow_up_days: tuple[float, float, float] | None
    entities: dict[str, tuple[int, int]]
    parameters: dict[str, ParameterCoverage]
    out_of_range: dict[str, int]


def describe(cohort: Cohort, schema: FeatureSchema) -> CohortDescription:
    """Counts of a cohort; parameters that nobody has are left out."""
    alive = cohort.time[~cohort.event]
    names = sorted(set(cohort.cohort.tolist()))
    return CohortDescription(
        patients=len(cohort),
        deaths=int(cohort.event.sum()),
        cohorts={name: int((cohort.cohort == name).sum()) for name in names},
        time_zero={name: ", ".join(sorted(set(cohort.setting[cohort.cohort == name].tolist()))) for name in names},
        delayed_entries=int((cohort.entry > 0).sum()),
        follow_up_days=_quartiles(alive) if len(alive) else None,
        entities={
            name: (int((cohort.entity == name).sum()), int(cohort.event[cohort.entity == name].sum()))
            for name in sorted(set(cohort.entity.tolist()) - {""})
        },
        parameters=_parameters(cohort, schema),
        out_of_range=dict(cohort.out_of_range),
    )


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
