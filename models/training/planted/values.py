"""Draws the values of made-up patients: marginals inside the plausible range, families that go together, gaps."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from models.features import Feature, FeatureSchema
from models.training.blocks import block_of
from models.training.planted.truth import PlantedParameter

Array = NDArray[np.float64]
Names = NDArray[np.str_]

WITHIN_FAMILY = 0.5  # correlation of two parameters of one family, before rounding
WITHOUT_ENTITY = 0.02  # share of patients of whom the cancer type is not known
# How often anything of a block is known. Which cancer types have more of it is drawn once, below: what is measured may
# depend on the cancer type, which acts on the hazard, but never on the outcome itself.
BLOCKS = {
    "demographics": 1.0,
    "function": 0.9,
    "history": 0.9,
    "laboratory": 0.9,
    "stage": 0.9,
    "pathology": 0.8,
    "imaging": 0.75,
    "genetics": 0.75,
}
BY_ENTITY = (0.7, 1.2)
WOMEN, EITHER = 0.99, 0.45
FEMALE = {"entity_breast": WOMEN} | dict.fromkeys(
    ("entity_ovary", "entity_cervix", "entity_endometrium", "entity_vulva_vagina"), 1.0
)
MALE = ("entity_prostate", "entity_testicular", "entity_penile")
SEX = "demo_sex_female"


def draw_entities(rows: Sequence[PlantedParameter], patients: int, random: np.random.Generator) -> Names:
    """The entity of each patient, "" where it is not known, [n]."""
    kinds = [row for row in rows if row.shape == "entity"]
    weights = np.array([row.centre for row in kinds])
    entity = random.choice([row.key for row in kinds], patients, p=weights / weights.sum())
    return np.where(random.random(patients) < WITHOUT_ENTITY, "", entity)


def draw_values(
    schema: FeatureSchema, rows: Sequence[PlantedParameter], entity: Names, random: np.random.Generator
) -> NDArray[np.float32]:
    """Canonical values [n, 350], NaN = not measured; `rows` in the order of the schema."""
    values = np.full((len(entity), len(schema)), np.nan, dtype=np.float32)
    shared = {name: random.normal(size=len(entity)) for name in sorted({f.family for f in schema.features})}
    blocks = _known_blocks(schema, entity, random)
    for column, (feature, row) in enumerate(zip(schema.features, rows, strict=True)):
        if feature.is_entity:
            values[:, column] = np.where(entity == "", np.nan, entity == feature.key)
            continue
        own = random.normal(size=len(entity))
        latent = np.sqrt(WITHIN_FAMILY) * shared[feature.family] + np.sqrt(1 - WITHIN_FAMILY) * own
        drawn = _sexes(entity, latent) if feature.key == SEX else _marginal(feature, row, latent)
        known = blocks[block_of(feature.key, schema)] & (random.random(len(entity)) < row.measured)
        values[:, column] = np.where(known, drawn, np.nan)
    return values


def _marginal(feature: Feature, row: PlantedParameter, latent: Array) -> Array:
    """Standard normal `latent` [n] -> values inside low ... high; levels and counts are whole, a share is 0 or 1."""
    if row.shape == "share":
        return (latent > NormalDist().inv_cdf(1 - row.centre)).astype(np.float64)
    if row.shape in ("lognormal", "count"):
        drawn = row.centre * np.exp(row.spread * latent)
    else:
        drawn = row.centre + row.spread * latent
    if row.shape == "count":
        drawn = np.floor(drawn)
    if row.shape == "level":
        drawn = np.round(drawn)
    return np.clip(drawn, feature.low, feature.high)


def _sexes(entity: Names, latent: Array) -> Array:
    share = np.array([FEMALE.get(name, 0.0 if name in MALE else EITHER) for name in entity.tolist()])
    uniform = np.array([NormalDist().cdf(value) for value in latent.tolist()])
    return (uniform < share).astype(np.float64)


def _known_blocks(schema: FeatureSchema, entity: Names, random: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    """Of which patients anything in a block is known, [n] each."""
    design = np.random.default_rng(0)  # the same cancer types are tested more in every cohort
    place = {name: i for i, name in enumerate(("", *schema.entities))}
    kind = np.array([place[name] for name in entity.tolist()])
    found = {}
    for block, share in BLOCKS.items():
        factor = design.uniform(*BY_ENTITY, len(place))[kind] if share < 1 else 1.0
        found[block] = random.random(len(entity)) < share * factor
    return found
