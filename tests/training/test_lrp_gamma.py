"""LRP-gamma, the paper's rule, beside the served LRP-0."""

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.network.fitted import FittedNetwork, Inputs
from models.network.scaling import Scaling
from models.training.evaluation_report import GammaDifference
from models.training.evaluation_sentences import gamma_sentence
from models.training.lrp_gamma import gamma_difference, gamma_relevance
from tests.unit.models.made_up import anyone, cohort, inputs, network, schema

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def net() -> FittedNetwork:
    return network(inputs(cohort(300)))


@pytest.fixture(scope="module")
def patients(net: FittedNetwork) -> Array:
    return net.inputs.pairs(anyone(net.inputs, 200, seed=2), schema())


def on_paper(sign: float) -> FittedNetwork:
    """One parameter, one entity, two units a layer; with `sign` -1 the log-risk is the negative."""
    one = Scaling("one-hot", (0.0, 1.0), (0.0, 1.0))
    return FittedNetwork(
        inputs=Inputs(("lab_hemoglobin",), ("entity_colon",), {"lab_hemoglobin": one, "entity_colon": one}),
        skip=sign * np.array([[0.0, 0.5, -1.0]]),
        first=np.array([[[2.0, 1.0, -1.0], [0.0, 1.0, 0.0]]]),
        second=np.array([[[2.0, -0.5], [-4.0, 1.0]]]),
        last=sign * np.array([[1.875, 5.0]]),
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_net_computed_by_hand(sign: float) -> None:
    """With gamma = 1 every favoured weight counts double, that of a risk below 0 if it is negative."""
    pairs = np.array([[0.25, 1.0, 0.75]])
    # Units: (.75, 1), then (1, 0). Log-risk: -.25 + 1.875 = 1.625; its favoured terms: 0 + 1 - .75 + 3.75 = 4.
    # Haemoglobin: -.75 * 1.625 / 4 direct, (1 - .75) / 2.25 of 1.828125 by the first unit; the rest is colon's.
    assert on_paper(sign).risk(pairs) == pytest.approx([sign * 1.625])
    found = gamma_relevance(on_paper(sign), pairs, 1.0)
    assert found[0] == pytest.approx([sign * -0.1015625, sign * 1.7265625])


def test_patients_with_two_inputs_have_no_order_to_compare() -> None:
    """A cohort of few parameters: no figure, and one that is not a number would leave the evaluation unreadable."""
    found = gamma_difference(on_paper(1.0), np.array([[0.25, 1.0, 0.75]]))
    assert found.rank_correlation is None
    assert msgspec.json.decode(msgspec.json.encode(found), type=GammaDifference) == found
    assert "no patient has three inputs whose order could be compared, and " in gamma_sentence(found)
    assert gamma_difference(on_paper(1.0), np.zeros((1, 3))).relative == 0


def test_gamma_0_is_the_served_rule(net: FittedNetwork, patients: Array) -> None:
    """Without extra weight the rule is LRP-0, and the difference is none."""
    assert gamma_relevance(net, patients, 0.0) == pytest.approx(net.relevance(patients), abs=1e-9)
    none = gamma_difference(net, patients, 0.0)
    assert none.patients == 200
    assert (none.rank_correlation, none.relative) == pytest.approx((1, 0), abs=1e-9)


@pytest.mark.parametrize("gamma", [0.01, 0.25, 10.0])
def test_relevances_sum_to_the_risk(net: FittedNetwork, patients: Array, gamma: float) -> None:
    """Conservation holds for every gamma; what is not known has none."""
    found = gamma_relevance(net, patients, gamma)
    assert found.sum(axis=1) == pytest.approx(net.risk(patients), abs=1e-9)
    known = net.inputs.per_input(patients) != 0
    assert not found[~known].any()
    assert not gamma_relevance(net, np.zeros((1, patients.shape[1])), gamma).any()


def test_the_difference_grows_with_gamma(net: FittedNetwork, patients: Array) -> None:
    """The paper's gamma moves relevances a little, a large one much."""
    little, much = gamma_difference(net, patients), gamma_difference(net, patients, 1.0)
    assert 0 < little.relative < much.relative
    assert much.rank_correlation
    assert little.rank_correlation
    assert much.rank_correlation < little.rank_correlation < 1
