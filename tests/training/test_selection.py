"""Which parameters get weights, and folds that look alike."""

import numpy as np

from models.training.cohort import Cohort
from models.training.folds import deal
from models.training.selection import describe_inputs, select_inputs
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()


def with_column(key: str, positives: int, patients: int, deaths: int) -> Cohort:
    """A cohort of 400 in which `patients` have `key`, `positives` of them 1, `deaths` of these dead."""
    table = cohort(400)
    column = np.full(400, np.nan, dtype=np.float32)
    column[:patients] = 0
    column[:positives] = 1
    table.values[:, CATALOGUE.index[key]] = column
    table.event[:positives] = False
    table.event[:deaths] = True
    return table


def trained(table: Cohort) -> tuple[str, ...]:
    return select_inputs(table, CATALOGUE).keys


def test_fifty_patients_must_have_it() -> None:
    """49 are too few, 50 are enough."""
    for patients, expected in ((49, False), (50, True)):
        table = cohort(400)
        table.values[:, CATALOGUE.index["lab_sodium"]] = np.where(
            np.arange(400) < patients, 130 + np.arange(400) / 50, np.nan
        )
        assert ("lab_sodium" in trained(table)) is expected


def test_a_binary_needs_twenty_of_either_value_and_five_deaths() -> None:
    """Rare positives, rare negatives and positives of whom nobody died carry no weight."""
    assert "gene_braf" in trained(with_column("gene_braf", 20, 100, 5))
    assert "gene_braf" not in trained(with_column("gene_braf", 19, 100, 19))
    assert "gene_braf" not in trained(with_column("gene_braf", 81, 100, 30))
    assert "gene_braf" not in trained(with_column("gene_braf", 20, 100, 4))


def test_five_of_those_who_have_it_must_have_died() -> None:
    """A tumour marker measured only where almost nobody dies claims no effect."""
    for deaths, expected in ((4, False), (5, True)):
        table = with_column("lab_ldh", 60, 60, deaths)
        table.values[:60, CATALOGUE.index["lab_ldh"]] = np.linspace(150, 900, 60)
        assert ("lab_ldh" in trained(table)) is expected


def test_a_parameter_that_never_varies_is_left_out() -> None:
    """Everybody having the same value teaches nothing."""
    table = cohort(400)
    table.values[:, CATALOGUE.index["lab_sodium"]] = 140
    assert "lab_sodium" not in trained(table)


def test_an_entity_needs_fifty_patients_and_five_deaths() -> None:
    """A cancer type of which almost nobody died in training is known, but has no weights."""
    table = cohort(400)
    colon = table.entity == "entity_colon"
    assert "entity_colon" in trained(table)
    table.event[colon] = False
    assert "entity_colon" not in trained(table)


def test_the_manifest_says_what_was_seen() -> None:
    """Patients, positives and the extremes of every input."""
    table = cohort(400)
    inputs = select_inputs(table, CATALOGUE)
    described = describe_inputs(inputs, table, CATALOGUE)
    assert set(described) == set(inputs.keys)
    assert (described["stage_uicc_stage"].low, described["stage_uicc_stage"].high) == (1, 4)
    assert described["entity_colon"].patients == (table.entity == "entity_colon").sum()
    kras = table.values[:, CATALOGUE.index["gene_kras"]]
    assert (described["gene_kras"].patients, described["gene_kras"].positives) == (
        (~np.isnan(kras)).sum(),
        (kras == 1).sum(),
    )


def test_folds_hold_the_same_share_of_every_type_and_outcome() -> None:
    """No fold differs by more than one death of one cancer type, and the seed decides who is where."""
    table = cohort(600)
    fold = deal(table, 3)
    for entity in np.unique(table.entity):
        for outcome in (True, False):
            counts = np.bincount(fold[(table.entity == entity) & (table.event == outcome)], minlength=5)
            assert np.ptp(counts) <= 1
    assert np.array_equal(fold, deal(table, 3))
    assert not np.array_equal(fold, deal(table, 4))
