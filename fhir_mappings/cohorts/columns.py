"""Source column -> parameter: the three kinds of declaration that the cohorts share, and the one loop over each."""

from collections.abc import Mapping, Sequence

from fhir_mappings.cohorts.builder import CohortBuilder, Patient
from fhir_mappings.cohorts.source_tables import Row, number

Number = tuple[str, str, str | None]  # column, parameter, the source's unit (None: no unit, as in counts and scores)
Coded = tuple[str, str, Mapping[str, float]]  # column, parameter, cell -> level; a cell that is not listed is missing

DAYS_PER_WEEK = 7.0
DAYS_PER_MONTH = 30.4375

YES_NO: Mapping[str, float] = {"1": 1, "0": 0}
FEMALE: Mapping[str, float] = {"female": 1, "f": 1, "male": 0, "m": 0}  # of a lower-case cell


def names(*declared: Sequence[tuple[str, str, object]]) -> tuple[str, ...]:
    """The columns of several declarations, each once."""
    return tuple(dict.fromkeys(entry[0] for entries in declared for entry in entries))


def put_numbers(build: CohortBuilder, patient: Patient, row: Row, entries: Sequence[Number]) -> None:
    """Set what the row has; an implausible value is missing and counted. Raises SourceError for text."""
    for column, key, unit in entries:
        build.put(patient, key, number(row, column), unit)


def put_codes(build: CohortBuilder, patient: Patient, row: Row, entries: Sequence[Coded]) -> None:
    """Set the level of every cell that the declaration lists."""
    for column, key, levels in entries:
        build.put(patient, key, levels.get(row[column].strip()))


def put_age(build: CohortBuilder, patient: Patient, years: float | None) -> None:
    """Completed years, in every cohort; under 18 is out of range."""
    build.put(patient, "demo_age_at_baseline", None if years is None else years // 1)


def outcome(row: Row, time: str, days: float, status: str, dead: Mapping[str, bool]) -> tuple[float, bool] | None:
    """Follow-up in days and whether it ended in death; None where either is not known.

    `days` is the length of the source's unit of time; `dead` lists the cells of `status` that mean something.
    Raises SourceError for a negative time.
    """
    length, died = number(row, time), dead.get(row[status].strip())
    if length is not None and length < 0:
        raise row.wrong(time, "is negative")
    return None if length is None or died is None else (length * days, died)
