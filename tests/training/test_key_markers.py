"""Key markers by hand: few numbers, one entity, missing values."""

import numpy as np
import pytest

from models.manifest import ENTITY
from models.training.key_markers import (
    Deviations,
    deviations,
    key_markers,
    markers_of,
    markers_per_patient,
    of_cohort,
    of_patients,
)
from tests.unit.models.made_up import schema

CATALOGUE = schema()


def row(**relevance: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = np.zeros(len(CATALOGUE))
    for key, value in relevance.items():
        values[CATALOGUE.index[key]] = value
    return values


@pytest.mark.parametrize(
    ("strength", "markers"),
    [
        ({"a": 6, "b": 3, "c": 1}, ("a", "b")),
        ({"a": 5, "b": 3, "c": 2}, ("a", "b", "c")),
        ({"b": 1, "a": 1}, ("a", "b")),
        ({"a": 1, "b": 0}, ("a",)),
        ({"a": 0}, ()),
        ({}, ()),
    ],
)
def test_the_fewest_that_carry_nine_tenths(strength: dict[str, float], markers: tuple[str, ...]) -> None:
    """The strongest first until 90 % are reached; equal ones by name; nothing where nothing is said."""
    assert key_markers(strength) == markers


def test_the_typical_relevance_does_not_count() -> None:
    """A parameter that says the same of everybody is no marker, one that differs is, in either direction."""
    relevance = np.stack([row(lab_albumin=0.5, lab_crp=1.0), row(lab_albumin=-0.5, lab_crp=1.0)])
    observed = relevance != 0
    found = deviations(relevance, observed, row(lab_crp=1.0), CATALOGUE)
    assert of_cohort(found) == ("lab_albumin",)
    assert found.by_marker()["lab_albumin"] == 0.5


def test_what_is_missing_is_no_marker() -> None:
    """A missing parameter has relevance 0 and deviates by nothing, whatever is typical."""
    relevance = np.stack([row(lab_albumin=0.5), row()])
    found = deviations(relevance, relevance != 0, row(lab_albumin=-1.0, lab_crp=2.0), CATALOGUE)
    assert of_patients(found) == [("lab_albumin",), ()]
    assert found.by_marker()["lab_albumin"] == pytest.approx(0.75)


def test_the_cancer_types_are_one_marker() -> None:
    """The one-hot columns add up to one relevance, whose typical value is counted once."""
    relevance = np.stack([row(entity_colon=0.3, entity_breast=0.1), row(lab_albumin=1.0)])
    typical = row(**dict.fromkeys(CATALOGUE.entities, 0.1))
    found = deviations(relevance, relevance != 0, typical, CATALOGUE)
    assert found.absolute[:, found.markers.index(ENTITY)] == pytest.approx([0.3, 0.0])
    assert not {"entity_colon", "entity_breast"} & set(found.markers)
    assert of_patients(found) == [(ENTITY,), ("lab_albumin",)]


def test_sizes_of_a_cohort_at_once() -> None:
    """They are those of each patient by itself; a patient of whom nothing is said has none."""
    random = np.random.default_rng(0)
    absolute = np.abs(random.normal(size=(40, len(CATALOGUE) - 37))) * (random.random((40, len(CATALOGUE) - 37)) < 0.1)
    absolute[0] = 0
    found = Deviations(markers_of(CATALOGUE), absolute)
    assert markers_per_patient(found).tolist() == [len(markers) for markers in of_patients(found)]
    assert markers_per_patient(found)[0] == 0
