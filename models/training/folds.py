"""Who is predicted together: folds that look alike, folds of whole sites, or folds of whole cohorts.

Folds by time would come before random ones, but the cohort format has no dates.
"""

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort

FOLDS = 5
RANDOM, SITE, COHORT = "random", "site", "cohort"
TCGA_BARCODE = re.compile(r"TCGA-([A-Z0-9]{2})-")  # the second field is the tissue source site


def fold_by(kind: str, cohort: Cohort, seed: int) -> NDArray[np.intp]:
    """The fold of each patient. Raises ValueError where there is but one cohort to be left out."""
    return KINDS[kind](cohort, seed)


def deal(cohort: Cohort, seed: int, folds: int = FOLDS) -> NDArray[np.intp]:
    """The fold of each patient, 0 … folds - 1."""
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(cohort))
    order = shuffled[np.lexsort((cohort.event[shuffled], cohort.entity[shuffled], cohort.cohort[shuffled]))]
    fold = np.empty(len(cohort), dtype=np.intp)
    fold[order] = np.arange(len(cohort)) % folds
    return fold


def deal_sites(cohort: Cohort, seed: int, folds: int = FOLDS) -> NDArray[np.intp]:
    """Whole sites, largest first, each into the fold that has fewest patients; who has no known site is dealt."""
    fold = deal(cohort, seed, folds)
    site = np.array([f"{name}/{site_of(name, patient) or ''}" for name, patient in _patients(cohort)])
    names, code, size = np.unique(site, return_inverse=True, return_counts=True)
    known = np.flatnonzero(~np.char.endswith(names, "/"))
    patients = np.zeros(folds)
    for number in known[np.lexsort((np.random.default_rng(seed).random(len(known)), -size[known]))]:
        smallest = int(patients.argmin())
        fold[code == number] = smallest
        patients[smallest] += size[number]
    return fold


def leave_cohorts_out(cohort: Cohort, _: int = 0) -> NDArray[np.intp]:
    """One fold a cohort: train on all the others, predict this one.

    Raises ValueError where only one cohort has patients with cancer: without it nothing can be trained.
    """
    with_cancer = np.unique(cohort.cohort[cohort.with_cancer])
    if len(with_cancer) < 2:
        raise ValueError(
            f"{', '.join(with_cancer)} is the only cohort of its network: without it nothing can be trained"
        )
    return np.unique(cohort.cohort, return_inverse=True)[1]


def site_of(cohort: str, patient_id: str) -> str | None:
    """The hospital that a patient of `cohort` comes from; None where the cohort does not say."""
    barcode = TCGA_BARCODE.match(patient_id) if cohort == "tcga" else None
    return barcode[1] if barcode else None


def knows_sites(cohort: Cohort) -> bool:
    return any(site_of(name, patient) for name, patient in _patients(cohort))


def _patients(cohort: Cohort) -> list[tuple[str, str]]:
    return list(zip(cohort.cohort.tolist(), cohort.patient_id.tolist(), strict=True))


KINDS: Mapping[str, Callable[[Cohort, int], NDArray[np.intp]]] = {
    RANDOM: deal,
    SITE: deal_sites,
    COHORT: leave_cohorts_out,
}
