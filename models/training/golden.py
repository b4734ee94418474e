"""Golden rows: made-up patients with the answers of the graphs, which a package must reproduce where it is loaded."""

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema, FeatureVector
from models.manifest import GoldenPair, GoldenRow
from models.network.fitted import FittedNetwork, Inputs
from models.predictor import Predictor

ROWS = 6
PAIRED = 4  # parameters of a row, the most relevant ones, whose interactions are kept
AGREEMENT = 2e-6  # rows on which float32 and float64 differ by more sit on a kink of the network and prove nothing
TOLERANCE = 1e-5


def golden_rows(
    setting: str, network: FittedNetwork, predictor: Predictor, schema: FeatureSchema, seed: int = 0
) -> tuple[GoldenRow, ...]:
    """The empty patient and ROWS random ones; values are drawn from the scaling's range, never from a patient."""
    random = np.random.default_rng(seed)
    rows = [_answer(setting, {}, predictor, schema)]
    for _ in range(100 * ROWS):
        if len(rows) > ROWS:
            break
        known = _made_up(network.inputs, schema, random)
        values = _vector(known, schema)
        expected = network.relevance(network.inputs.pairs(values, schema))
        _, relevance = predictor.relevance(values)
        if np.abs(relevance[:, network.inputs.columns(schema)] - expected).max() < AGREEMENT:
            rows.append(_answer(setting, known, predictor, schema))
    return tuple(rows)


def _made_up(inputs: Inputs, schema: FeatureSchema, random: np.random.Generator) -> dict[str, float]:
    """Half of the parameters, at random places of their range; one entity."""
    known: dict[str, float] = {}
    for key in inputs.parameters:
        if random.random() < 0.5:
            knots = inputs.scaling[key].knots
            value = random.uniform(knots[0], knots[-1])
            known[key] = float(f"{value:.4g}") if schema[key].kind == "continuous" else float(round(value))
    if inputs.entities:
        known[str(random.choice(inputs.entities))] = 1.0
    return known


def _vector(known: dict[str, float], schema: FeatureSchema) -> NDArray[np.float32]:
    values = np.full((1, len(schema)), np.nan, dtype=np.float32)
    if any(schema[key].is_entity for key in known):
        values[:, schema.entity_columns] = 0
    for key, value in known.items():
        values[:, schema.index[key]] = value
    return values


def _answer(setting: str, known: dict[str, float], predictor: Predictor, schema: FeatureSchema) -> GoldenRow:
    values = _vector(known, schema)
    risk, relevance = predictor.relevance(values)
    return GoldenRow(
        setting=setting,
        values=known,
        risk=float(risk[0]),
        members=tuple(float(member) for member in predictor.members(values)[0]),
        relevance={schema.keys[i]: float(relevance[0, i]) for i in np.flatnonzero(relevance[0])},
        interactions=_pairs(FeatureVector(values[0], schema), relevance[0], predictor),
        distance=float(predictor.distance(values)[0]),
    )


def _pairs(vector: FeatureVector, relevance: NDArray[np.float32], predictor: Predictor) -> tuple[GoldenPair, ...]:
    """Interactions of the PAIRED parameters with the greatest relevance."""
    strongest = [int(i) for i in np.argsort(-np.abs(relevance))[:PAIRED] if relevance[i]]
    found = predictor.interactions(vector, strongest).values
    keys = [vector.schema.keys[i] for i in strongest]
    upper = zip(*np.triu_indices(len(keys), 1), strict=True)
    return tuple(GoldenPair(keys[i], keys[j], float(found[i, j])) for i, j in upper)
