"""The cohort format: what is written is read again, and what is not right is named by file, row and column."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.training.build_record import read_build_record, record_path, write_build_record
from models.training.cohort import Cohort, CohortError, join_cohorts, read_cohort, write_cohort
from models.training.description import describe, notices
from models.training.race import RACES
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()
HEADER = "patient_id,cohort,setting,entity,entry_days,time_days,event,demo_age_at_baseline,lab_albumin"
GOOD = "P1,mine,diagnosis,entity_colon,,120,1,64,4.1"


def read(folder: Path, *rows: str, header: str = HEADER) -> Cohort:
    file = folder / "mine.csv"
    file.write_text("\n".join((header, *rows)) + "\n")
    return read_cohort(file, CATALOGUE)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    """Every column comes back, missing values and unknown entities included."""
    table = cohort(80)
    table.entity[0] = ""
    table.values[0, CATALOGUE.entity_columns] = np.nan
    table.race[1:3] = "asian", "white"
    file = tmp_path / f"made_up{suffix}"
    write_cohort(file, table, CATALOGUE)
    again = read_cohort(file, CATALOGUE)
    for name in ("patient_id", "cohort", "setting", "entity", "race", "entry", "time", "event"):
        assert np.array_equal(getattr(again, name), getattr(table, name)), name
    assert np.array_equal(again.values, table.values, equal_nan=True)


def test_a_short_table_is_enough(tmp_path: Path) -> None:
    """Parameters without a column are not measured, an entity may be written without its prefix."""
    table = read(tmp_path, GOOD, "P2,mine,diagnosis,colon,,365,0,,", "P3,mine,diagnosis,,10,20,0,70,")
    assert table.entity.tolist() == ["entity_colon", "entity_colon", ""]
    assert table.entry.tolist() == [0, 0, 10]
    assert table.values[0, CATALOGUE.index["lab_albumin"]] == pytest.approx(4.1)
    assert np.isnan(table.values[1, CATALOGUE.index["lab_albumin"]])
    assert np.isnan(table.values[0, CATALOGUE.index["lab_sodium"]])
    assert table.values[0, CATALOGUE.entity_columns].sum() == 1
    assert np.isnan(table.values[2, CATALOGUE.entity_columns]).all()


def test_race_may_be_stated(tmp_path: Path) -> None:
    """A word of the closed list, or nothing; a file without the column states none."""
    rows = (f"{GOOD},black", "P2,mine,diagnosis,colon,,365,0,,,")
    table = read(tmp_path, *rows, header=f"{HEADER},race")
    assert table.race.tolist() == ["black", ""]
    assert read(tmp_path, GOOD).race.tolist() == [""]


@pytest.mark.parametrize("word", ["Black", "Black or African American", "2054-5", "unknown"])
def test_another_word_for_race_is_refused(tmp_path: Path, word: str) -> None:
    """Free text and codes are not guessed at: file, row and column, and the words that there are."""
    with pytest.raises(CohortError) as raised:
        read(tmp_path, f"{GOOD},white", f"P2,mine,diagnosis,colon,,365,0,,,{word}", header=f"{HEADER},race")
    assert str(raised.value) == f"mine.csv: row 3: race is neither empty nor {', '.join(RACES)}"


def test_an_implausible_value_is_missing_and_counted(tmp_path: Path) -> None:
    """An albumin of 41 g/dL (it was g/L) is not used, an age of 12 neither."""
    table = read(tmp_path, "P1,mine,diagnosis,colon,,120,1,12,41")
    assert np.isnan(table.values[0, CATALOGUE.index["lab_albumin"]])
    assert table.out_of_range == {"lab_albumin": 1, "demo_age_at_baseline": 1}


def test_a_death_on_the_first_day_counts(tmp_path: Path) -> None:
    """A time of 0 becomes half a day, so that the patient is in the own risk set."""
    assert read(tmp_path, "P1,mine,diagnosis,colon,,0,1,64,").time.tolist() == [0.5]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("P2,mine,diagnosis,colon,,-3,1,64,4", "row 3: time_days is empty, negative or infinite"),
        ("P2,mine,diagnosis,colon,,,1,64,4", "row 3: time_days is empty, negative or infinite"),
        ("P2,mine,diagnosis,colon,,inf,1,64,4", "row 3: time_days is empty, negative or infinite"),
        ("P2,mine,diagnosis,colon,,120,2,64,4", "row 3: event is neither 0 nor 1"),
        ("P2,mine,diagnosis,colon,,120,,64,4", "row 3: event is neither 0 nor 1"),
        ("P2,mine,diagnosis,colon,120,120,1,64,4", "row 3: entry_days is not before time_days"),
        ("P2,mine,diagnosis,colon,-1,120,1,64,4", "row 3: entry_days is negative"),
        ("P2,mine,diagnosis,colon,,120,1,old,4", "row 3: demo_age_at_baseline is no number"),
        ("P2,mine,diagnosis,colon,,12O,1,64,4", "row 3: time_days is no number"),
        ("P2,mine,clinic,colon,,120,1,64,4", "row 3: setting is none of diagnosis, metastatic, survivor, acute"),
        ("P2,mine,diagnosis,colonic,,120,1,64,4", "row 3: entity is no entity of the catalogue"),
        ("P1,mine,diagnosis,colon,,120,1,64,4", "row 3: patient_id stands twice"),
        (",mine,diagnosis,colon,,120,1,64,4", "row 3: patient_id is empty"),
        ("P2,,diagnosis,colon,,120,1,64,4", "row 3: cohort is empty"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, row: str, said: str) -> None:
    """File, row and column on one line."""
    with pytest.raises(CohortError) as raised:
        read(tmp_path, GOOD, row)
    assert str(raised.value) == f"mine.csv: {said}"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (HEADER.replace("time_days", "days"), "column time_days is missing"),
        (HEADER.replace("lab_albumin", "lab_albumine"), "column lab_albumine is no parameter of the catalogue"),
        (HEADER.replace("lab_albumin", "lab_albumin [g/L]"), "has a unit: the column is lab_albumin, in g/dL"),
        (HEADER.replace("lab_albumin", "lab_albumin(furlong)"), "has a unit: the column is lab_albumin, in g/dL"),
    ],
)
def test_a_misspelt_column_is_named(tmp_path: Path, header: str, said: str) -> None:
    """A column that nobody knows is not passed over as "not measured"."""
    with pytest.raises(CohortError, match=said):
        read(tmp_path, GOOD, header=header)


def test_entity_columns_must_agree_with_the_entity(tmp_path: Path) -> None:
    """A file that says colon in one place and breast in another is not guessed at."""
    with pytest.raises(CohortError, match="row 2: entity differs"):
        read(tmp_path, f"{GOOD},1", header=f"{HEADER},entity_breast")


@pytest.mark.parametrize("name", ["nothing.csv", "nothing.parquet", "table.xlsx"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """No such file, and no such format."""
    with pytest.raises(CohortError, match=name):
        read_cohort(tmp_path / name, CATALOGUE)
    with pytest.raises(CohortError, match="no rows"):
        read(tmp_path)
    with pytest.raises(CohortError, match="ends in"):
        write_cohort(tmp_path / "table.xlsx", cohort(5), CATALOGUE)


def test_a_patient_may_be_in_one_file_only() -> None:
    """Joining a cohort with itself would double its weight."""
    with pytest.raises(CohortError, match=r"P0000 of made_up"):
        join_cohorts([cohort(5), cohort(5)])


def test_a_description_counts_what_is_there() -> None:
    """Patients, deaths, follow-up and coverage; what nobody has is left out."""
    table = cohort(200)
    table.race[:50] = "black"
    found = describe(table, CATALOGUE)
    assert (found.patients, found.deaths) == (200, int(table.event.sum()))
    assert found.cohorts == {"made_up": (200, found.deaths)}
    assert found.settings == {"diagnosis": 200}
    assert (found.time_zero, found.excluded, found.notices) == (None, {}, ())
    assert sum(patients for patients, _ in found.entities.values()) == 200
    assert found.races == {"black": (50, int(table.event[:50].sum()))}
    assert found.without_race == 150
    assert "lab_sodium" not in found.parameters
    kras = found.parameters["gene_kras"]
    assert 0 < (kras.positives or 0) < kras.patients < 200


def test_a_record_of_the_build_adds_what_the_file_cannot_hold(tmp_path: Path) -> None:
    """Time zero, exclusions and implausible values; a record of another state of the file is not believed."""
    file = tmp_path / "made_up.csv"
    write_cohort(file, cohort(30), CATALOGUE)
    assert read_build_record(file) is None
    write_build_record(file, "first visit", {"redacted": 4}, {"lab_albumin": 2})
    found = describe(read_cohort(file, CATALOGUE), CATALOGUE, read_build_record(file))
    assert (found.time_zero, found.excluded) == ("first visit", {"redacted": 4})
    assert found.out_of_range == {"lab_albumin": 2}
    write_cohort(file, cohort(31), CATALOGUE)
    assert read_build_record(file) is None
    record_path(file).write_text("{}")
    with pytest.raises(CohortError, match=r"made_up\.csv\.build\.json: cannot be read"):
        read_build_record(file)


def test_notices() -> None:
    """Nobody died, one cancer type only, no cancer type at all: the column is named."""
    table = cohort(20)
    alive = msgspec.structs.replace(table, event=np.zeros(20, dtype=bool), entity=np.full(20, "entity_colon"))
    assert [notice.split(":")[0] for notice in notices(alive)] == [
        "event is 0 in every row", "entity is entity_colon in every row",
    ]  # fmt: skip
    without = msgspec.structs.replace(table, entity=np.full(20, ""))
    assert notices(without)[0].startswith("entity is empty in every row")
