"""Canonical value -> [0, 1]."""

import numpy as np
import pytest

from models.network.scaling import fit_scaling
from tests.unit.models.made_up import schema

CATALOGUE = schema()


def test_a_symmetric_parameter_is_stretched_between_its_quantiles_and_clipped() -> None:
    """1 % and 99 % become 0 and 1, what lies beyond stays there, and missing stays missing."""
    scaling = fit_scaling(CATALOGUE["lab_hemoglobin"], np.linspace(8, 16, 801))
    assert scaling is not None
    assert scaling.method == "quantile"
    assert scaling([8.08, 12, 15.92]) == pytest.approx([0, 0.5, 1])
    assert scaling([2.0, 25.0]) == pytest.approx([0, 1])
    assert np.isnan(scaling([np.nan])).all()


def test_a_skewed_parameter_takes_its_rank() -> None:
    """A marker over six powers of ten is spread evenly by its training ranks."""
    observed = np.exp(np.linspace(0, 14, 1001))
    scaling = fit_scaling(CATALOGUE["lab_cea"], observed)
    assert scaling is not None
    assert scaling.method == "rank"
    assert len(scaling.knots) == 101
    assert scaling(np.quantile(observed, [0.1, 0.5, 0.9])) == pytest.approx([0.1, 0.5, 0.9], abs=1e-3)


def test_a_value_that_many_share_stands_in_the_middle_of_its_ranks() -> None:
    """Half of the patients at 0 all get the rank .25, not 0 and not .5."""
    observed = np.concatenate([np.zeros(500), np.exp(np.linspace(0, 9, 500))])
    scaling = fit_scaling(CATALOGUE["lab_cea"], observed)
    assert scaling is not None
    assert float(scaling([0.0])[0]) == pytest.approx(0.25, abs=0.01)
    assert np.all(np.diff(scaling.knots) > 0)


def test_grades_and_few_levels_go_from_smallest_to_largest() -> None:
    """Stage I to IV are 0, 1/3, 2/3 and 1; a count of few levels likewise."""
    stage = fit_scaling(CATALOGUE["stage_uicc_stage"], np.array([1.0, 2, 3, 4, 4]))
    count = fit_scaling(CATALOGUE["path_nodes_positive"], np.array([0.0, 1, 2, 8] * 10))
    assert stage is not None
    assert count is not None
    assert stage([1, 2, 4]) == pytest.approx([0, 1 / 3, 1])
    assert (stage.method, count.method) == ("min-max", "min-max")


def test_what_does_not_vary_cannot_be_scaled() -> None:
    """A constant parameter has no scaling; an entity is 0 or 1 whatever was seen."""
    assert fit_scaling(CATALOGUE["lab_hemoglobin"], np.full(60, 12.0)) is None
    entity = fit_scaling(CATALOGUE["entity_colon"], np.ones(60))
    assert entity is not None
    assert entity.method == "one-hot"
