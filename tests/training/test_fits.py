"""Fits that are kept are read again, and only where nothing that decides them has changed."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.training.fits import KeptFits, fit_name
from models.training.network_training import Recipe
from models.training.ridge import Table
from models.training.selection import select_inputs
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()
TINY = Recipe(members=2, first_units=4, second_units=2, batch=64, patience=1, longest=1)


def silent(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def table() -> Table:
    patients = cohort(200)
    return Table.of(select_inputs(patients, CATALOGUE), patients, CATALOGUE)


def test_a_fit_is_done_once(table: Table, tmp_path: Path) -> None:
    """The second call reads what the first one fitted, to the last bit, and says so."""
    fit, told = KeptFits(tmp_path), list[str]()
    first = fit(table, CATALOGUE, TINY, silent)
    again = fit(table, CATALOGUE, TINY, told.append)
    assert told == ["read"]
    assert (again.epoch, again.gain) == (first.epoch, first.gain)
    assert np.array_equal(again.network.members(table.pairs), first.network.members(table.pairs))
    assert np.array_equal(again.ridge.risk(table), first.ridge.risk(table))


def test_what_decides_a_fit_names_it(table: Table) -> None:
    """Another outcome, value, cohort or recipe is another fit; another name or race of a patient is not."""
    patients = table.cohort
    changed = [
        msgspec.structs.replace(table, cohort=msgspec.structs.replace(patients, time=patients.time + 1)),
        msgspec.structs.replace(table, cohort=msgspec.structs.replace(patients, event=~patients.event)),
        msgspec.structs.replace(table, cohort=msgspec.structs.replace(patients, cohort=np.full(200, "other"))),
        msgspec.structs.replace(table, pairs=table.pairs + 1e-9),
    ]
    names = {fit_name(table, TINY), fit_name(table, Recipe()), *(fit_name(other, TINY) for other in changed)}
    assert len(names) == len(changed) + 2
    renamed = np.char.add("x", patients.patient_id)
    same = msgspec.structs.replace(patients, patient_id=renamed, race=np.full(200, "black"))
    again = Table.of(select_inputs(same, CATALOGUE), same, CATALOGUE)
    assert fit_name(again, TINY) == fit_name(table, TINY)
