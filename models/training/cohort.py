"""The cohort format: one row a patient, Parquet or CSV, the door through which any cohort reaches training.

Columns: patient_id, cohort, setting, entity, race, entry_days, time_days, event, then one column per parameter of the
catalogue in canonical units; an empty cell is "not measured". Parameters that no column names are not measured.
`race` may be absent; it tells subgroups apart and is no input of any model.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.race import NOT_STATED, RACES

SETTINGS = ("diagnosis", "metastatic", "survivor", "acute")
TEXTS = ("patient_id", "cohort", "setting", "entity", "race")
NUMBERS = ("entry_days", "time_days", "event")
REQUIRED = ("patient_id", "cohort", "setting", "time_days", "event")
HALF_A_DAY = 0.5  # what a time of 0 becomes: a death on the day of entry is real and must be in its own risk set
ENTITY_PREFIX = "entity_"
WITHOUT_CANCER = (
    "_without_cancer"  # how a cohort's name ends whose patients have none: they train, and are no reference
)
NOBODY_DIED = "event is 0 in every row: nobody died, so nothing can be trained or evaluated"
COLUMNS = ("patient_id", "cohort", "setting", "entity", "race", "entry", "time", "event", "values")  # of `Cohort`


class CohortError(ValueError):
    """A cohort file is not right; the message names file, row (header = 1) and column."""


class Cohort(msgspec.Struct, frozen=True):
    """Patients of one or more cohorts, n rows each.

    `entity` is a catalogue key or "" where it is not known, `race` one of `RACES` or "" (for subgroups, no input).
    `entry` and `time` are days from the cohort's time zero (a patient is at risk in (entry, time]); `values` [n, 350]
    float32 in canonical units, NaN = not measured. `out_of_range` counts the values that were
    implausible by the catalogue and therefore taken as not measured.
    """

    patient_id: NDArray[np.str_]
    cohort: NDArray[np.str_]
    setting: NDArray[np.str_]
    entity: NDArray[np.str_]
    race: NDArray[np.str_]
    entry: NDArray[np.float64]
    time: NDArray[np.float64]
    event: NDArray[np.bool_]
    values: NDArray[np.float32]
    out_of_range: Mapping[str, int] = {}

    def __len__(self) -> int:
        return len(self.time)

    @property
    def with_cancer(self) -> NDArray[np.bool_]:
        """Who may stand as reference, [n]: means, typical values, positions and evaluation are theirs alone."""
        return ~np.char.endswith(self.cohort, WITHOUT_CANCER)

    def rows(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Cohort":
        """The patients of a mask or an index array."""
        return msgspec.structs.replace(self, **{name: getattr(self, name)[which] for name in COLUMNS})


def join_cohorts(cohorts: Sequence[Cohort]) -> Cohort:
    """All patients of several cohorts. Raises CohortError for a patient who is in two of them."""
    columns = {name: np.concatenate([getattr(cohort, name) for cohort in cohorts]) for name in COLUMNS}
    joined = Cohort(**columns, out_of_range=added([cohort.out_of_range for cohort in cohorts]))
    seen: set[tuple[str, str]] = set()
    for patient in zip(joined.cohort, joined.patient_id, strict=True):
        if patient in seen:
            raise CohortError(f"patient {patient[1]} of {patient[0]} is in more than one file")
        seen.add(patient)
    return joined


def read_cohort(path: Path, schema: FeatureSchema) -> Cohort:
    """Read a cohort file.

    Raises CohortError naming file, row and column: no such file, an unknown or missing column, text in a number, a
    negative time, an entry that is not before the time, an event that is not 0 or 1, an unknown setting, entity or
    race, a unit in a column's name, two rows of one patient, no rows. A cohort in which nobody died can be read.
    """
    table = _read_table(path)
    _check_columns(path, table, schema)
    if not len(table):
        raise CohortError(f"{path.name}: no rows")
    texts = {name: _texts(table, name) for name in TEXTS}
    texts["entity"] = _full_keys(texts["entity"])
    _check_texts(path, texts, schema)
    numbers = {name: _numbers(path, table, name) for name in NUMBERS}
    _check_outcome(path, numbers)
    values, out_of_range = _values(path, table, schema)
    _set_entities(path, values, texts["entity"], schema)
    time = np.where(numbers["time_days"] == 0, HALF_A_DAY, numbers["time_days"])
    return Cohort(
        **texts,
        entry=np.nan_to_num(numbers["entry_days"]),
        time=time,
        event=numbers["event"] == 1,
        values=values,
        out_of_range=out_of_range,
    )


def write_cohort(path: Path, cohort: Cohort, schema: FeatureSchema) -> None:
    """Write Parquet or CSV by the file's suffix. Raises CohortError for another suffix."""
    columns: dict[str, NDArray[np.generic]] = {
        "patient_id": cohort.patient_id,
        "cohort": cohort.cohort,
        "setting": cohort.setting,
        "entity": cohort.entity,
        "race": cohort.race,
        "entry_days": cohort.entry,
        "time_days": cohort.time,
        "event": cohort.event.astype(np.int8),
    }
    columns |= {key: cohort.values[:, i] for i, key in enumerate(schema.keys)}
    table = pl.DataFrame(columns).with_columns(
        pl.col(list(schema.keys)).fill_nan(None), pl.col("entity", "race").replace({"": None})
    )
    if path.suffix == ".parquet":
        table.write_parquet(path)
    elif path.suffix == ".csv":
        table.write_csv(path)
    else:
        raise CohortError(f"{path.name}: a cohort file ends in .parquet or .csv")


def _read_table(path: Path) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        if path.suffix == ".csv":
            return pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CohortError(f"{path.name}: cannot be read: {str(error).splitlines()[0]}") from error
    raise CohortError(f"{path.name}: a cohort file ends in .parquet or .csv")


def _check_columns(path: Path, table: pl.DataFrame, schema: FeatureSchema) -> None:
    missing = [name for name in REQUIRED if name not in table.columns]
    if missing:
        raise CohortError(f"{path.name}: column {missing[0]} is missing")
    known = {*TEXTS, *NUMBERS, *schema.keys}
    unknown = [name for name in table.columns if name not in known]
    if unknown:  # a misspelt parameter must not be read as "not measured"
        raise CohortError(f"{path.name}: column {unknown[0]} {_unknown_because(unknown[0], schema)}")


def _unknown_because(column: str, schema: FeatureSchema) -> str:
    """A unit behind the key (`lab_albumin [g/L]`) is not converted here: the format has canonical units only."""
    with_unit = re.fullmatch(r"(\w+)\s*[\[(](.+)[\])]", column)
    if with_unit and with_unit[1] in schema.index:
        key = with_unit[1]
        return f"has a unit: the column is {key}, in {schema[key].unit}"
    return "is no parameter of the catalogue"


def _texts(table: pl.DataFrame, name: str) -> NDArray[np.str_]:
    if name not in table.columns:
        return np.full(len(table), "", dtype="U64")
    cells = table[name].cast(pl.String).fill_null("").str.strip_chars()
    return np.array(cells.to_list(), dtype=np.str_)


def _full_keys(entity: NDArray[np.str_]) -> NDArray[np.str_]:
    """Accept `colon` for `entity_colon`."""
    full = (entity == "") | np.char.startswith(entity, ENTITY_PREFIX)
    return np.where(full, entity, np.char.add(ENTITY_PREFIX, entity))


def _check_texts(path: Path, texts: Mapping[str, NDArray[np.str_]], schema: FeatureSchema) -> None:
    _refuse(path, "patient_id", texts["patient_id"] == "", "is empty")
    _refuse(path, "cohort", texts["cohort"] == "", "is empty")
    _refuse(path, "setting", ~np.isin(texts["setting"], SETTINGS), f"is none of {', '.join(SETTINGS)}")
    _refuse(path, "entity", ~np.isin(texts["entity"], ["", *schema.entities]), "is no entity of the catalogue")
    _refuse(path, "race", ~np.isin(texts["race"], [NOT_STATED, *RACES]), f"is neither empty nor {', '.join(RACES)}")
    patients = np.char.add(np.char.add(texts["cohort"], "\0"), texts["patient_id"])
    _, first = np.unique(patients, return_index=True)
    repeated = np.ones(len(patients), dtype=bool)
    repeated[first] = False
    _refuse(path, "patient_id", repeated, "stands twice")


def _check_outcome(path: Path, numbers: Mapping[str, NDArray[np.float64]]) -> None:
    time, entry, event = numbers["time_days"], np.nan_to_num(numbers["entry_days"]), numbers["event"]
    _refuse(path, "time_days", ~(np.isfinite(time) & (time >= 0)), "is empty, negative or infinite")
    _refuse(path, "event", ~np.isin(event, (0, 1)), "is neither 0 nor 1")
    _refuse(path, "entry_days", entry < 0, "is negative")
    _refuse(path, "entry_days", (entry > 0) & (entry >= time), "is not before time_days")


def _refuse(path: Path, column: str, wrong: NDArray[np.bool_], reason: str) -> None:
    if wrong.any():
        raise CohortError(f"{path.name}: row {int(wrong.argmax()) + 2}: {column} {reason}")


def _numbers(path: Path, table: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """One column as numbers, NaN where it is empty or absent."""
    if name not in table.columns:
        return np.full(len(table), np.nan)
    cells = table[name]
    if cells.dtype == pl.String:
        cells = cells.str.strip_chars().replace({"": None})
    numbers = cells.cast(pl.Float64, strict=False)
    _refuse(path, name, (numbers.is_null() & cells.is_not_null()).to_numpy(), "is no number")
    return numbers.fill_null(np.nan).to_numpy().astype(np.float64)


def _values(path: Path, table: pl.DataFrame, schema: FeatureSchema) -> tuple[NDArray[np.float32], dict[str, int]]:
    values = np.full((len(table), len(schema)), np.nan, dtype=np.float32)
    out_of_range: dict[str, int] = {}
    for key in schema.keys:
        if key not in table.columns:
            continue
        column = _numbers(path, table, key)
        feature = schema[key]
        implausible = ~np.isnan(column) & ~((column >= feature.low) & (column <= feature.high))
        if implausible.any():
            out_of_range[key] = int(implausible.sum())
        values[:, schema.index[key]] = np.where(implausible, np.nan, column)
    return values, out_of_range


def _set_entities(path: Path, values: NDArray[np.float32], entity: NDArray[np.str_], schema: FeatureSchema) -> None:
    """Fill the one-hot columns from `entity`; where the file has them too, they must agree."""
    onehot = np.full((len(entity), len(schema.entities)), np.nan, dtype=np.float32)
    known = entity != ""
    onehot[known] = entity[known, None] == np.array(schema.entities)[None, :]
    written = values[:, schema.entity_columns]
    differs = ~np.isnan(written) & (written != onehot)
    _refuse(path, "entity", differs.any(axis=1), "differs from the entity_… columns")
    values[:, schema.entity_columns] = onehot


def added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The sum of several counts, key by key."""
    total: dict[str, int] = {}
    for count in counts:
        for key, number in count.items():
            total[key] = total.get(key, 0) + number
    return total
