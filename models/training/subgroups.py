"""Does the network serve everybody? The same figures by sex, age band, race, cancer type and third of coverage."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.evaluation_report import NETWORK, RIDGE, Subgroup
from models.training.held_out import HeldOut
from models.training.model_scores import slope_of
from models.training.resampling import interval

Flags = NDArray[np.bool_]

LEAST_DEATHS = 20
AGE_BANDS = (("under 50", 0.0, 50.0), ("50-64", 50.0, 65.0), ("65-74", 65.0, 75.0), ("75 and over", 75.0, np.inf))
NOT_RECORDED = "not recorded"


def subgroup_rows(everybody: HeldOut, schema: FeatureSchema) -> tuple[Subgroup, ...]:
    """One row for every part with at least 20 deaths; the whole cohort first."""
    models = [model for model in (NETWORK, RIDGE) if model in everybody.predictions.risk]
    held = everybody.fewer_resamples().scored_by(*models)
    rows = [_row(held, kind, name, which) for kind, name, which in _parts(held, schema)]
    return tuple(row for row in rows if row is not None)


def _parts(held: HeldOut, schema: FeatureSchema) -> Iterator[tuple[str, str, Flags]]:
    cohort = held.cohort
    yield "cohort", str(cohort.cohort[0]), np.ones(len(cohort), dtype=bool)
    female = cohort.values[:, schema.index["demo_sex_female"]]
    yield from (("sex", name, female == value) for name, value in (("female", 1), ("male", 0)))
    yield "sex", NOT_RECORDED, np.isnan(female)
    age = cohort.values[:, schema.index["demo_age_at_baseline"]]
    yield from (("age", name, (age >= low) & (age < high)) for name, low, high in AGE_BANDS)
    yield "age", NOT_RECORDED, np.isnan(age)
    yield from (("race", str(name) or NOT_RECORDED, cohort.race == name) for name in np.unique(cohort.race))
    yield from (("cancer type", str(name) or NOT_RECORDED, cohort.entity == name) for name in np.unique(cohort.entity))
    yield from (("coverage", name, which) for name, which in _thirds(_share(held)))


def _share(held: HeldOut) -> NDArray[np.float64]:
    """Observed share of the parameters with weights, per patient."""
    nothing = np.zeros(len(held.cohort))
    observed = sum(map(np.nan_to_num, held.predictions.observed.values()), nothing)
    possible = sum(map(np.nan_to_num, held.predictions.possible.values()), nothing)
    return np.asarray(observed / np.maximum(possible, 1))


def _thirds(share: NDArray[np.float64]) -> Iterator[tuple[str, Flags]]:
    """Patients with an equal share stay together, so the thirds need not be equal; an empty one is left out."""
    low, high = np.quantile(share, [1 / 3, 2 / 3])
    parts = (("lower third", share <= low), ("middle third", (share > low) & (share <= high)))
    for name, which in (*parts, ("upper third", share > high)):
        if which.any() and not which.all():
            yield f"{name} ({share[which].min():.0%} to {share[which].max():.0%} observed)", which


def _row(held: HeldOut, kind: str, name: str, which: Flags) -> Subgroup | None:
    """None where too few died, or no two patients can be compared."""
    if held.cohort.event[which].sum() < LEAST_DEATHS:
        return None
    part = held.rows(which)
    risk = part.predictions.risk
    samples = {model: part.pooled.c(risk[model]) for model in (NETWORK, RIDGE) if model in risk}
    network = interval(samples[NETWORK])
    if network is None:
        return None
    return Subgroup(
        kind=kind,
        name=name,
        patients=len(part.cohort),
        deaths=int(part.cohort.event.sum()),
        network=network,
        ridge=interval(samples[RIDGE]) if RIDGE in samples else None,
        difference=interval(samples[NETWORK] - samples[RIDGE]) if RIDGE in samples else None,
        slope=slope_of(part, risk[NETWORK]),
    )
