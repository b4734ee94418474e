"""Training finds what was planted, and does not find what was not: each check also fails for a permuted truth."""

from collections.abc import Mapping

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.manifest import ENTITY
from models.training.blocks import block_of
from models.training.calibration import calibration_slope
from models.training.key_markers import of_cohort
from models.training.mixed_differences import mixed_differences, most_relevant, strongest_pairs
from models.training.network_training import Recipe, TrainedNetwork, train_network
from models.training.planted.planting import PlantedCohort, acting, only, plant
from models.training.planted.recovery import (
    found_effects,
    marker_precision,
    marker_recall,
    measured_level,
    network_deviations,
    null_strength,
    pair_precision,
    pair_sizes,
    rank_correlation,
    ranked_precision,
    recovered_pairs,
    true_deviations,
)
from models.training.planted.truth import Truth, parameters, permuted, planted_truth
from models.training.ridge import Table
from models.training.selection import select_inputs
from tests.unit.models.made_up import schema

CATALOGUE = schema()
TRUTH = planted_truth()
# twice the rate of `model train` for half the time, and more decay: these patients are few for so many effects
RECIPE = Recipe(members=3, patience=15, longest=110, rate=2e-3, decay=5.0)
TRAINED_ON, HELD_OUT = 5200, 2500
NULLS = 16  # parameters without effect beside those that have one: all of them would take minutes
LOOKED_AT = 150  # patients whose interactions are computed the slow way


class Trained(msgspec.Struct, frozen=True):
    network: TrainedNetwork
    planted: PlantedCohort
    table: Table


@pytest.fixture(scope="module")
def trained() -> Trained:
    """Trained on the first patients of a planted cohort; `planted` and `table` hold those it never saw."""
    null = [p.key for p in parameters() if p.shape != "entity" and p.key not in acting(TRUTH)]
    some = np.random.default_rng(0).choice(null, NULLS, replace=False).tolist()
    planted = only(plant(TRAINED_ON + HELD_OUT, 1, CATALOGUE), {*acting(TRUTH), *some}, CATALOGUE)
    seen = np.arange(TRAINED_ON + HELD_OUT) < TRAINED_ON
    inputs = select_inputs(planted.cohort.rows(seen), CATALOGUE)
    table = Table.of(inputs, planted.cohort, CATALOGUE)
    network = train_network(table.rows(seen), CATALOGUE, RECIPE, lambda _: None)
    return Trained(network, planted.rows(~seen), table.rows(~seen))


@pytest.fixture(scope="module", params=[True, False], ids=["truth", "permuted"])
def claimed(request: pytest.FixtureRequest) -> tuple[Truth, bool]:
    """A truth, and whether it is the one that was planted."""
    return (TRUTH, True) if request.param else (permuted(TRUTH, 3), False)


def effects_of(truth: Truth, found: Mapping[str, float]) -> tuple[list[float], list[float]]:
    """Planted effects of all parameters with weights (0 where null), and the found ones."""
    return [truth.effects.get(key, 0.0) for key in found], list(found.values())


def test_effects_are_found(trained: Trained, claimed: tuple[Truth, bool]) -> None:
    """Nine of ten effects have the right sign, and their sizes follow the planted ones."""
    truth, planted = claimed
    found = found_effects(trained.network.network, trained.table)
    wanted, slopes = effects_of(truth, found)
    agree = [np.sign(w) == np.sign(s) for w, s in zip(wanted, slopes, strict=True) if w]
    right = len(agree) == len(truth.effects) and np.mean(agree) >= 0.9
    assert (right and rank_correlation(wanted, slopes) > 0.8) == planted


def test_null_parameters_say_little(trained: Trained) -> None:
    """A parameter that does nothing moves the log-risk by less than a third of what one that acts does."""
    found = network_deviations(trained.network.network, trained.table, CATALOGUE)
    parameters = trained.table.inputs.parameters
    assert sum(key not in acting(TRUTH) for key in parameters) > NULLS / 2
    assert null_strength(found, parameters, TRUTH) < 0.33
    assert null_strength(found, parameters, permuted(TRUTH, 3)) > 1
    assert null_strength(found, acting(TRUTH), TRUTH) == 0


def test_key_markers_are_what_acts(trained: Trained, claimed: tuple[Truth, bool]) -> None:
    """Four of five key markers do something, nine of ten of the strongest, and most true ones are among them."""
    truth, planted = claimed
    found = network_deviations(trained.network.network, trained.table, CATALOGUE)
    markers = of_cohort(found)
    assert ENTITY in markers
    assert (ranked_precision(found, truth) >= 0.9) == planted
    assert (marker_precision(markers, truth) >= 0.8) == planted
    assert marker_recall(markers, true_deviations(trained.planted, CATALOGUE)) >= 0.8


def test_pairs_are_found(trained: Trained, claimed: tuple[Truth, bool]) -> None:
    """Four of five planted pairs are among the twenty strongest interactions; six of the ten strongest are planted."""
    truth, planted = claimed
    network, pairs = trained.network.network, trained.table.pairs[:LOOKED_AT]
    strongest = strongest_pairs(network, pairs, most_relevant(network, trained.table.pairs, 40))
    assert (recovered_pairs(strongest, truth) >= 0.8) == planted
    assert (pair_precision(strongest, truth) >= 0.6) == planted


def test_pairs_are_found_with_a_part_of_their_size(trained: Trained) -> None:
    """All of them point the right way, none is exaggerated; without the hidden layers nothing of them is left."""
    network, some = trained.network.network, np.arange(len(trained.table.pairs)) < LOOKED_AT
    table, planted = trained.table.rows(some), trained.planted.rows(some)
    sizes = pair_sizes(network, table, planted, CATALOGUE)
    assert len(sizes) == len(TRUTH.pairs)
    assert 0 < min(sizes) < max(sizes) < 1
    linear = msgspec.structs.replace(network, last=np.zeros_like(network.last))
    assert pair_sizes(linear, table, planted, CATALOGUE) == pytest.approx([0] * len(sizes), abs=1e-9)


def test_an_additive_network_has_no_interactions(trained: Trained) -> None:
    """Without the hidden layers every mixed difference is 0."""
    network = trained.network.network
    linear = msgspec.structs.replace(network, last=np.zeros_like(network.last))
    keys = network.inputs.parameters[:6]
    assert np.abs(mixed_differences(linear, trained.table.pairs[:20], keys)).max() < 1e-12
    assert np.abs(mixed_differences(network, trained.table.pairs[:20], keys)).max() > 1e-6


@pytest.mark.parametrize(("factor", "calibrated"), [(1.0, True), (1.5, False), (0.6, False)])
def test_the_spread_is_calibrated(trained: Trained, factor: float, calibrated: bool) -> None:
    """On patients who were held out the Cox slope is between .9 and 1.1; of an exaggerated risk it is not."""
    slope = calibration_slope(factor * trained.network.network.risk(trained.table.pairs), trained.table.risk_sets())
    assert slope is not None
    assert (0.9 <= slope.value <= 1.1) == calibrated


def blanking(trained: Trained, risk: NDArray[np.float64], without: Mapping[str, NDArray[np.float64]]) -> list[float]:
    """exp(mean log factor) per block among those of whom anything in the block is known."""
    d, names = len(trained.table.inputs.parameters), list(without)
    factors = []
    for block in names:
        columns = [i for i in range(d) if block_of(trained.table.inputs.parameters[i], CATALOGUE) == block]
        known = ~np.isnan(trained.table.scaled[:, columns]).all(axis=1)
        factors.append(float(np.exp((without[block] - risk)[known].mean())))
    return factors


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_being_measured_does_not_score(trained: Trained, shift: float) -> None:
    """Removing a block that the cancer type decides on leaves the hazard as it was, .9 to 1.1; a shift would show."""
    network, table = trained.network.network, trained.table
    keys, d = table.inputs.parameters, len(table.inputs.parameters)
    blocks = sorted({block_of(key, CATALOGUE) for key in keys})
    shifted = network.skip.copy()
    per_block = {b: [i for i, key in enumerate(keys) if block_of(key, CATALOGUE) == b] for b in blocks}
    for columns in per_block.values():
        for half in (columns[0], len(table.inputs.keys) + columns[0]):
            shifted[:, half] += shift
    network = msgspec.structs.replace(network, skip=shifted)
    without = {}
    for block, columns in per_block.items():
        pairs = table.pairs.copy()
        pairs[:, [*columns, *(len(table.inputs.keys) + i for i in columns)]] = 0
        without[block] = network.risk(pairs)
    factors = blanking(trained, network.risk(table.pairs), without)
    assert d == sum(map(len, per_block.values()))
    assert (min(factors) >= 0.9 and max(factors) <= 1.1) == (shift == 0)


def test_the_measured_level_of_an_interval() -> None:
    """It is the share of patients whose true log-risk the interval holds, whatever the constant."""
    random = np.random.default_rng(0)
    truth = random.normal(size=4000)
    members = truth[:, None] + 5.0 + random.normal(0, 0.3, (4000, 5))
    assert measured_level(members, truth) > 0.9  # narrower than nominal only where members share their errors
    shared = members + random.normal(0, 1.2, (4000, 1))
    assert measured_level(shared, truth) < 0.8
    assert measured_level(members, random.permutation(truth)) < 0.7


def test_a_planted_cohort_holds_every_parameter() -> None:
    """All 350 columns are there, inside the plausible range, whole where they must be, with gaps; it repeats."""
    planted = plant(800, 5, CATALOGUE)
    values = planted.cohort.values
    for feature in CATALOGUE.features:
        column = values[:, CATALOGUE.index[feature.key]]
        known = column[~np.isnan(column)]
        assert known.min() >= feature.low, feature.key
        assert known.max() <= feature.high, feature.key
        if feature.kind in ("binary", "ordinal", "onehot"):
            assert (known == np.round(known)).all(), feature.key
    observed = (~np.isnan(values)).mean()
    assert 0.4 < observed < 0.8
    imaging = [i for i, f in enumerate(CATALOGUE.features) if f.modality == "imaging"]
    assert np.isnan(values[:, imaging]).all(axis=1).mean() > 0.1
    assert np.array_equal(plant(800, 5, CATALOGUE).cohort.time, planted.cohort.time)
    assert not np.array_equal(plant(800, 6, CATALOGUE).cohort.time, planted.cohort.time)


def test_families_go_together_and_only_the_truth_acts() -> None:
    """Redundant parameters correlate; what adds to the hazard are the planted parameters and the cancer type."""
    planted = plant(1500, 2, CATALOGUE)
    one, other = (planted.cohort.values[:, CATALOGUE.index[key]] for key in ("lab_albumin", "lab_total_protein"))
    both = ~np.isnan(one) & ~np.isnan(other)
    assert np.corrcoef(one[both], other[both])[0, 1] > 0.35
    adds = {CATALOGUE.keys[i] for i in np.flatnonzero(np.abs(planted.contribution).sum(axis=0))}
    assert {key for key in adds if not CATALOGUE[key].is_entity} == set(acting(TRUTH))
    assert (len(TRUTH.effects), len(TRUTH.pairs)) == (40, 10)
    assert planted.true_risk == pytest.approx(planted.contribution.sum(axis=1))


def test_what_acts_cannot_be_left_out() -> None:
    """A cohort whose hazard depends on what it does not hold is refused by the parameter's name."""
    planted = plant(60, 1, CATALOGUE)
    with pytest.raises(ValueError, match="acts and cannot be left out"):
        only(planted, {"lab_albumin"}, CATALOGUE)
