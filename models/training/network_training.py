"""Trains the ensemble: five members on five inner folds, in step, stopped at one common epoch."""

from collections.abc import Callable

import jax.numpy as jnp
import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.network import dense
from models.network.fitted import FittedNetwork, Inputs
from models.training.blocks import block_of
from models.training.centring import recentred
from models.training.cox import RiskSets
from models.training.folds import FOLDS, deal
from models.training.ridge import CentredRidge, Table, choose_strength, fit_ridge

Progress = Callable[[str], None]


class Recipe(msgspec.Struct, frozen=True):
    """The same for every cohort; nothing is tuned per cohort."""

    seed: int = 0
    members: int = FOLDS
    first_units: int = 64
    second_units: int = 32
    batch: int = 2048
    rate: float = 1e-3
    decay: float = 2.0
    parameter_dropout: float = 0.1
    block_dropout: float = 0.2
    centring: float = 1.0
    patience: int = 40
    longest: int = 300


class TrainedNetwork(msgspec.Struct, frozen=True):
    """The ensemble, the ridge on the same patients, and how training went: epoch 0 is the ridge itself."""

    network: FittedNetwork
    ridge: CentredRidge
    epoch: int
    gain: float


class Member(msgspec.Struct):
    """One member in training and what it is judged by: the inner fold that it does not see."""

    weights: dense.Weights
    moments: dense.Moments
    penalties: dense.Penalties
    train: Table
    pairs: NDArray[np.float32]
    observed: NDArray[np.bool_]
    reference: NDArray[np.bool_]
    left_out: NDArray[np.float32]
    risk_sets: RiskSets
    order: np.random.Generator


def train_network(table: Table, schema: FeatureSchema, recipe: Recipe, progress: Progress) -> TrainedNetwork:
    """Fit ridge and ensemble on the patients of `table`. Raises ValueError if nobody died or nothing can be trained."""
    if not table.cohort.event.any() or not table.inputs.keys:
        raise ValueError("no deaths, or no parameter that enough patients have")
    fold = deal(table.cohort, recipe.seed + 1, recipe.members)
    genetics = np.array([schema[key].modality == "genetics" for key in table.inputs.keys])
    strength = choose_strength(table, fold, genetics)
    ridge = fit_ridge(table, strength)
    layout = layout_of(table.inputs, schema)
    members = [_member(table, fold == i, strength, recipe, i) for i in range(recipe.members)]
    best, start = [member.weights for member in members], _likelihood(members)
    best_epoch, best_value = 0, start
    for epoch in range(1, recipe.longest + 1):
        for member in members:
            _epoch(member, layout, recipe)
        value = _likelihood(members)
        progress(f"epoch {epoch}: {value - start:+.2f}")
        if value > best_value:
            best, best_epoch, best_value = [member.weights for member in members], epoch, value
        if epoch - best_epoch >= recipe.patience:
            break
    network = _ensemble(best, table)
    return TrainedNetwork(network, ridge, best_epoch, best_value - start)


def layout_of(inputs: Inputs, schema: FeatureSchema) -> dense.Layout:
    blocks = [block_of(key, schema) for key in inputs.parameters]
    names = sorted(set(blocks))
    return dense.Layout(len(inputs.parameters), len(inputs.entities), tuple(names.index(block) for block in blocks))


def _member(
    table: Table, left_out: NDArray[np.bool_], strength: NDArray[np.float64], recipe: Recipe, number: int
) -> Member:
    train, test = table.rows(~left_out), table.rows(left_out)
    anchor = fit_ridge(train, strength).pair_weights()
    weights = dense.start(anchor, (recipe.first_units, recipe.second_units), recipe.seed * 100 + number)
    of_pairs = np.concatenate([strength, strength[: len(table.inputs.parameters)]])
    return Member(
        weights=weights,
        moments=dense.no_moments(weights),
        penalties=dense.Penalties(
            jnp.asarray(anchor, dtype=jnp.float32),
            jnp.asarray(of_pairs / train.cohort.event.sum(), dtype=jnp.float32),
            recipe.centring,
            recipe.parameter_dropout,
            recipe.block_dropout,
        ),
        train=train,
        pairs=train.pairs.astype(np.float32),
        observed=train.observed,
        reference=train.cohort.with_cancer,
        left_out=test.pairs.astype(np.float32),
        risk_sets=test.risk_sets(),
        order=np.random.default_rng(recipe.seed * 100 + number),
    )


def _epoch(member: Member, layout: dense.Layout, recipe: Recipe) -> None:
    for rows in _batches(len(member.train.cohort), recipe.batch, member.order):
        batch, dropout = _batch(member, rows), int(member.order.integers(2**31))
        member.weights, member.moments = dense.step(
            member.weights, member.moments, batch, member.penalties, dropout, layout, recipe.rate, recipe.decay
        )


def _batches(patients: int, size: int, order: np.random.Generator) -> NDArray[np.intp]:
    """Row numbers [batches, size of each], shuffled; -1 pads, to a multiple of 64, so that folds share their shapes."""
    count = -(-patients // size)
    each = -(-patients // (count * 64)) * 64
    rows = np.full(count * each, -1)
    rows[:patients] = order.permutation(patients)
    return rows.reshape(each, count).T


def _batch(member: Member, rows: NDArray[np.intp]) -> dense.Batch:
    real = rows >= 0
    cohort = member.train.cohort
    _, stratum = np.unique(cohort.cohort, return_inverse=True)
    return dense.Batch(
        pairs=jnp.asarray(member.pairs[rows] * real[:, None]),
        observed=jnp.asarray(member.observed[rows] & real[:, None], dtype=jnp.float32),
        entry=jnp.asarray(cohort.entry[rows], dtype=jnp.float32),
        time=jnp.asarray(cohort.time[rows], dtype=jnp.float32),
        death=jnp.asarray(cohort.event[rows] & real, dtype=jnp.float32),
        stratum=jnp.asarray(stratum[rows], dtype=jnp.int32),
        weight=jnp.asarray(real, dtype=jnp.float32),
        reference=jnp.asarray(member.reference[rows] & real, dtype=jnp.float32),
    )


def _likelihood(members: list[Member]) -> float:
    """Summed partial log-likelihood of the left-out folds, each member recentred on its own patients with cancer."""
    total = 0.0
    for member in members:
        network = _fitted([member.weights], member.train.inputs, np.float32)
        of = member.reference
        risk = recentred(network, member.pairs[of], member.observed[of]).risk(member.left_out)
        total += member.risk_sets.log_likelihood(risk)
    return total


def _fitted(weights: list[dense.Weights], inputs: Inputs, kind: type[np.floating]) -> FittedNetwork:
    skip, first, second, last = (
        np.stack([np.asarray(w[i], dtype=kind) for w in weights]) for i in range(len(weights[0]))
    )
    return FittedNetwork(inputs, skip, first, second, last)


def _ensemble(weights: list[dense.Weights], table: Table) -> FittedNetwork:
    """All members, each recentred on all patients with cancer, float64."""
    reference = table.rows(table.cohort.with_cancer)
    centred = [
        recentred(_fitted([member], table.inputs, np.float64), reference.pairs, reference.observed)
        for member in weights
    ]
    skip, first, second, last = (
        np.concatenate([getattr(member, name) for member in centred]) for name in dense.Weights._fields
    )
    return FittedNetwork(table.inputs, skip, first, second, last)
