"""What is planted: which parameters move the hazard, by how much, and which pairs act together.

`parameters.csv` has one row a parameter: how its values are drawn and what effect it has. Most have none.
"""

import csv
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from models.features import FeatureSchema

TABLE = Path(__file__).with_name("parameters.csv")
Shape = Literal["normal", "lognormal", "level", "count", "share", "entity"]


class PlantedParameter(msgspec.Struct, frozen=True):
    """How one parameter is drawn.

    `centre` is the median, for "share" how many have it, for "entity" its weight among the entities. `spread` is a
    standard deviation, for "lognormal" and "count" that of the logarithm; a negative one runs against its family.
    `measured` is how often it is known where its block is. `effect` is the log-hazard per scaled value.
    """

    key: str
    shape: Shape
    centre: float
    spread: float = 0.0
    measured: float = 1.0
    effect: float = 0.0


class PlantedPair(msgspec.Struct, frozen=True):
    """`effect` on the log-hazard of the product of two scaled values, each measured from its mean."""

    first: str
    second: str
    effect: float

    @property
    def keys(self) -> frozenset[str]:
        return frozenset((self.first, self.second))


class Truth(msgspec.Struct, frozen=True):
    """Everything that acts: `effects` per parameter, `entities` per cancer type, `pairs`. The rest is null.

    A scaled value is that of models/network/scaling.py, between 0 and 1. What a patient was not measured does not act.
    """

    effects: dict[str, float]
    entities: dict[str, float]
    pairs: tuple[PlantedPair, ...]


# Inside a block and across blocks. Most have one parameter of two values: the products of two continuous ones vary
# little, and finding them takes more patients than any cohort at hand has.
PAIRS = (
    PlantedPair("stage_m1", "func_ecog", 4.2),
    PlantedPair("demo_age_at_baseline", "stage_uicc_stage", 7.0),
    PlantedPair("med_corticosteroid", "lab_albumin", -5.0),
    PlantedPair("tx_chemo_platinum", "lab_crp", 3.6),
    PlantedPair("stage_met_liver", "ratio_ldh_uln_ratio", 5.0),
    PlantedPair("tx_prior_surgery", "img_recist_sum", -3.4),
    PlantedPair("med_opioid", "bca_l3_skeletal_muscle_index", -5.0),
    PlantedPair("tx_ici", "path_pdl1_tps", -4.2),
    PlantedPair("gene_kras", "gene_stk11", 2.4),
    PlantedPair("gene_tp53", "stage_grade", 4.2),
)


@cache
def parameters() -> tuple[PlantedParameter, ...]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = [{name: cell for name, cell in row.items() if cell != ""} for row in csv.DictReader(file)]
    return tuple(msgspec.convert(rows, list[PlantedParameter], strict=False))


def parameters_of(schema: FeatureSchema) -> tuple[PlantedParameter, ...]:
    """In the order of the schema. Raises ValueError naming a parameter that has no row."""
    known = {parameter.key: parameter for parameter in parameters()}
    lacking = [key for key in schema.keys if key not in known]
    if lacking:
        raise ValueError(f"{TABLE.name}: no row for {lacking[0]}")
    return tuple(known[key] for key in schema.keys)


def planted_truth() -> Truth:
    acting = [parameter for parameter in parameters() if parameter.effect]
    return Truth(
        effects={parameter.key: parameter.effect for parameter in acting if parameter.shape != "entity"},
        entities={parameter.key: parameter.effect for parameter in acting if parameter.shape == "entity"},
        pairs=PAIRS,
    )


def permuted(truth: Truth, seed: int) -> Truth:
    """The same effects and pairs on other parameters: what no check may take for the truth."""
    random = np.random.default_rng(seed)
    null = [p.key for p in parameters() if p.shape != "entity" and p.key not in truth.effects]
    names = dict(zip(truth.effects, random.choice(null, len(truth.effects), replace=False).tolist(), strict=True))
    entities = dict(zip(truth.entities, random.permutation(list(truth.entities.values())).tolist(), strict=True))
    pairs = tuple(PlantedPair(names[pair.first], names[pair.second], pair.effect) for pair in truth.pairs)
    return Truth({names[key]: effect for key, effect in truth.effects.items()}, entities, pairs)
