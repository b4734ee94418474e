"""What the prediction is worth when less is known: inputs are blanked as a clinic would lack them, then scored anew."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.blocks import block_of

Flags = NDArray[np.bool_]

REMOVED = 0.25  # share of the observed parameters that the random scenario takes away
RANDOM_QUARTER = "random 25 % removed"
# Tumour type, extent and age, consciousness and vital signs: what a department has before the first laboratory
# value.
FIRST_LOOK = frozenset({
    "demo_age_at_baseline", "stage_m1", "func_gcs", "vital_resp_rate", "vital_spo2", "vital_oxygen_flow",
    "vital_map", "vital_sbp", "vital_heart_rate", "vital_temperature",
})  # fmt: skip

KEPT: Mapping[str, Callable[[str, FeatureSchema], bool]] = {
    "no genetics": lambda key, schema: block_of(key, schema) != "genetics",
    "no stage": lambda key, schema: block_of(key, schema) != "stage",
    "laboratory only": lambda key, schema: block_of(key, schema) == "laboratory",
    "emergency first look": lambda key, _: key in FIRST_LOOK,
}


def blanked(values: NDArray[np.float32], schema: FeatureSchema, seed: int) -> dict[str, NDArray[np.float32]]:
    """Canonical values [n, 350] by scenario, NaN where they are taken away. The cancer type always stays."""
    parameter = np.array([not feature.is_entity for feature in schema.features])
    lost = np.random.default_rng(seed).random(values.shape, dtype=np.float32) < REMOVED
    removed: dict[str, Flags] = {RANDOM_QUARTER: lost & parameter}
    for name, kept in KEPT.items():
        removed[name] = parameter & ~np.array([kept(key, schema) for key in schema.keys])
    return {name: np.where(gone, np.float32(np.nan), values) for name, gone in removed.items()}


def thinned_out(values: NDArray[np.float32], schema: FeatureSchema, seed: int) -> NDArray[np.float32]:
    """Each patient with a random share of the parameters taken away, from none to all; the cancer type stays."""
    random = np.random.default_rng(seed)
    lost = random.random(values.shape, dtype=np.float32) < random.random((len(values), 1), dtype=np.float32)
    lost[:, schema.entity_columns] = False
    return np.where(lost, np.float32(np.nan), values)
