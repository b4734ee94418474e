"""One member of the network in JAX: risk, relevance and the training step's loss. Shapes as in `fitted.py`."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray


class Weights(NamedTuple):
    """`skip` [P], `first` [64, P], `second` [32, 64], `last` [32]."""

    skip: jax.Array
    first: jax.Array
    second: jax.Array
    last: jax.Array


class Layout(NamedTuple):
    """Sizes and blocks, fixed per training: D parameters, E entities; `block` [D] numbers the block of each."""

    parameters: int
    entities: int
    block: tuple[int, ...]


class Batch(NamedTuple):
    """`pairs` [B, P], `observed` [B, D], and the outcome.

    `weight` [B] is 0 for padding rows; `reference` [B] is 1 for patients with cancer, over whom a mean is taken.
    """

    pairs: jax.Array
    observed: jax.Array
    entry: jax.Array
    time: jax.Array
    death: jax.Array
    stratum: jax.Array
    weight: jax.Array
    reference: jax.Array


class Penalties(NamedTuple):
    """`anchor`, `strength` [P] hold the skip path at the ridge; `centring` weighs "measured does not score"."""

    anchor: jax.Array
    strength: jax.Array
    centring: float
    parameter_dropout: float
    block_dropout: float


def start(skip: NDArray[np.float64], units: tuple[int, int], seed: int) -> Weights:
    """Skip path at the ridge, hidden layers after He et al. (ICCV 2015), last layer 0: training starts at the ridge."""
    random, width = np.random.default_rng(seed), len(skip)
    return Weights(
        skip=jnp.asarray(skip, dtype=jnp.float32),
        first=jnp.asarray(random.normal(0, np.sqrt(2 / width), (units[0], width)), dtype=jnp.float32),
        second=jnp.asarray(random.normal(0, np.sqrt(2 / units[0]), (units[1], units[0])), dtype=jnp.float32),
        last=jnp.asarray(np.zeros(units[1], dtype=np.float32)),
    )


def relevance_of_pairs(weights: Weights, pairs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Log-risk [B] and gradient x input [B, P]."""
    first = pairs @ weights.first.T
    second = jax.nn.relu(first) @ weights.second.T
    backward = (weights.last * (second > 0)) @ weights.second * (first > 0)
    gradient = backward @ weights.first + weights.skip
    log_risk = pairs @ weights.skip + jax.nn.relu(second) @ weights.last
    return log_risk, pairs * gradient


def loss(weights: Weights, batch: Batch, penalties: Penalties, layout: Layout, key: jax.Array) -> jax.Array:
    """Cox loss per death with Breslow's ties on a batch after dropout, centring penalty and anchor.

    Dropped parameters are (0, 0) like missing ones, and nothing is rescaled: the network learns to do without them.
    """
    kept = batch.observed * _kept(key, batch.observed.shape, penalties, layout)
    pairs = batch.pairs * jnp.concatenate([kept, jnp.ones((len(kept), layout.entities)), kept], axis=1)
    log_risk, relevance = relevance_of_pairs(weights, pairs)
    of = batch.reference[:, None]
    means = _mean_relevance(relevance * of, kept * of, pairs * of, layout)
    anchored = (penalties.strength * (weights.skip - penalties.anchor) ** 2).sum() / 2
    return cox_loss(log_risk, batch) + penalties.centring * (means**2).sum() + anchored


def cox_loss(log_risk: jax.Array, batch: Batch) -> jax.Array:
    """Negative partial log-likelihood per death; the risk sets are those of the batch."""
    at_risk = (
        (batch.time[None, :] >= batch.time[:, None])
        & (batch.entry[None, :] < batch.time[:, None])
        & (batch.stratum[None, :] == batch.stratum[:, None])
    )
    shifted = log_risk - jax.lax.stop_gradient(log_risk.max())
    sums = at_risk.astype(jnp.float32) @ (batch.weight * jnp.exp(shifted))
    terms = jnp.log(jnp.where(batch.death > 0, sums, 1.0)) - shifted
    return (batch.death * terms).sum() / jnp.maximum(batch.death.sum(), 1.0)


def _mean_relevance(relevance: jax.Array, observed: jax.Array, pairs: jax.Array, layout: Layout) -> jax.Array:
    """Mean relevance of each parameter where observed, and of the entity where it has weights, [D + 1]."""
    d, e = layout.parameters, layout.entities
    parameters = relevance[:, :d] + relevance[:, d + e :]
    entity = relevance[:, d : d + e].sum(axis=1, keepdims=True)
    known = pairs[:, d : d + e].sum(axis=1, keepdims=True)
    counts = jnp.concatenate([observed.sum(axis=0), known.sum(axis=0)])
    sums = jnp.concatenate([parameters.sum(axis=0), entity.sum(axis=0)])
    return sums / jnp.maximum(counts, 1.0)


def _kept(key: jax.Array, shape: tuple[int, ...], penalties: Penalties, layout: Layout) -> jax.Array:
    one, other = jax.random.split(key)
    parameters = jax.random.bernoulli(one, 1 - penalties.parameter_dropout, shape)
    blocks = jax.random.bernoulli(other, 1 - penalties.block_dropout, (shape[0], max(layout.block, default=0) + 1))
    return (parameters & blocks[:, jnp.array(layout.block, dtype=jnp.int32)]).astype(jnp.float32)


class Moments(NamedTuple):
    """Adam's running moments (Kingma and Ba, ICLR 2015)."""

    first: Weights
    second: Weights
    step: jax.Array


def no_moments(weights: Weights) -> Moments:
    zeros = Weights(*(jnp.asarray(np.zeros(part.shape, dtype=np.float32)) for part in weights))
    return Moments(zeros, zeros, jnp.asarray(np.float32(0)))


@partial(jax.jit, static_argnames=("layout", "rate", "decay"))
def step(
    weights: Weights,
    moments: Moments,
    batch: Batch,
    penalties: Penalties,
    seed: int,
    layout: Layout,
    rate: float,
    decay: float,
) -> tuple[Weights, Moments]:
    """One step of Adam with decoupled decay of everything but the skip path (Loshchilov and Hutter, ICLR 2019)."""
    gradient = jax.grad(loss)(weights, batch, penalties, layout, jax.random.key(seed))
    count = moments.step + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments.first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, moments.second, gradient)
    updated = jax.tree.map(
        lambda w, m, v: w - rate * (m / (1 - 0.9**count)) / (jnp.sqrt(v / (1 - 0.999**count)) + 1e-8),
        weights,
        first,
        second,
    )
    decayed = jax.tree.map(lambda new, old: new - rate * decay * old, updated, weights)
    return decayed._replace(skip=updated.skip), Moments(first, second, count)
