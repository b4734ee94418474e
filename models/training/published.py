"""Predictions that somebody else published for the patients of a cohort: survival at a horizon, from a CSV file."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort, CohortError

COLUMNS = ("patient_id", "cohort", "model", "days", "survival")
PublishedRow = tuple[str, str, str, int, float]  # in the order of COLUMNS


class Published(msgspec.Struct, frozen=True):
    """One model at one horizon: the predicted survival by (cohort, patient)."""

    model: str
    days: int
    survival: Mapping[tuple[str, str], float]

    def of(self, cohort: Cohort) -> NDArray[np.float64]:
        """Survival of each patient [n], NaN where nothing was published."""
        patients = zip(cohort.cohort.tolist(), cohort.patient_id.tolist(), strict=True)
        return np.array([self.survival.get(patient, math.nan) for patient in patients], dtype=np.float64)


def published_path(file: Path) -> Path:
    """Where the predictions for the patients of a cohort file stand."""
    return file.with_name(f"{file.name}.published.csv")


def write_published(path: Path, rows: Iterable[PublishedRow]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def read_published(path: Path) -> Sequence[Published]:
    """The models of the file by horizon; an empty survival is none.

    Raises CohortError naming file, row and column: a missing column, a patient who stands twice for one model and
    horizon, days that are no positive whole number, a survival outside of 0 to 1.
    """
    found: dict[tuple[str, int], dict[tuple[str, str], float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise CohortError(f"{path.name}: column {missing[0]} is missing")
        for row in reader:
            where = f"{path.name}: row {reader.line_num}"
            survival, days = _survival(row["survival"], where), _days(row["days"], where)
            patient = (row["cohort"] or "").strip(), (row["patient_id"] or "").strip()
            own = found.setdefault(((row["model"] or "").strip(), days), {})
            if patient in own:
                raise CohortError(f"{where}: patient_id stands twice")
            if survival is not None:
                own[patient] = survival
    return [Published(model, days, survival) for (model, days), survival in sorted(found.items())]


def published_for(path: Path, cohort: Cohort) -> Sequence[Published]:
    """The models of the file. Raises CohortError also where it knows none of the patients of `cohort`."""
    found = read_published(path)
    if all(np.isnan(entry.of(cohort)).all() for entry in found):
        raise CohortError(
            f"{path.name}: no patient of it is in the cohort files (cohort and patient_id must be theirs)"
        )
    return found


def _survival(cell: str | None, where: str) -> float | None:
    if not (cell or "").strip():
        return None
    number = _number(cell)
    if not 0 <= number <= 1:
        raise CohortError(f"{where}: survival is no number from 0 to 1")
    return number


def _days(cell: str | None, where: str) -> int:
    number = _number(cell)
    if not (number >= 1 and number.is_integer()):
        raise CohortError(f"{where}: days is no positive whole number")
    return int(number)


def _number(cell: str | None) -> float:
    try:
        return float(cell or "")
    except ValueError:
        return math.nan
