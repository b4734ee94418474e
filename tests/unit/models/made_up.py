"""Made-up cohorts, networks and packages, small enough for unit tests. Nothing here comes from a patient."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.manifest import Baseline, Setting, TrainedInput, TrainingCohort
from models.network.fitted import FittedNetwork, Inputs
from models.network.scaling import Scaling, fit_scaling
from models.training.cohort import Cohort
from models.training.comparators import Comparators
from models.training.evaluation_report import Evaluation
from models.training.packaging import MAKERS, TrainedSetting, write_package
from models.training.reference_groups import reference_groups

FEATURES = Path(__file__).parents[3] / "fhir_mappings/catalogue/features.csv"
PARAMETERS = (
    "demo_age_at_baseline", "demo_sex_female", "lab_hemoglobin", "lab_cea", "stage_uicc_stage", "stage_m1", "gene_kras",
)  # fmt: skip
ENTITIES = ("entity_colon", "entity_nsclc", "entity_breast")


def schema() -> FeatureSchema:
    return FeatureSchema.read(FEATURES)


def cohort(patients: int = 600, seed: int = 0, missing: float = 0.3) -> Cohort:
    """Three cancer types, seven parameters, deaths that come earlier with age, stage and metastasis."""
    catalogue, random = schema(), np.random.default_rng(seed)
    values = np.full((patients, len(catalogue)), np.nan, dtype=np.float32)
    columns: dict[str, NDArray[np.float64]] = {
        "demo_age_at_baseline": random.integers(30, 90, patients).astype(float),
        "demo_sex_female": random.integers(0, 2, patients).astype(float),
        "lab_hemoglobin": random.normal(12, 2, patients).clip(5, 18),
        "lab_cea": np.exp(random.normal(1, 2, patients)),
        "stage_uicc_stage": random.integers(1, 5, patients).astype(float),
        "gene_kras": (random.random(patients) < 0.3).astype(float),
    }
    columns["stage_m1"] = (columns["stage_uicc_stage"] == 4).astype(float)
    for key, column in columns.items():
        values[:, catalogue.index[key]] = np.where(random.random(patients) < missing, np.nan, column)
    entity = np.array(ENTITIES)[random.integers(0, 3, patients)]
    values[:, catalogue.entity_columns] = entity[:, None] == np.array(catalogue.entities)[None, :]
    risk = 0.03 * columns["demo_age_at_baseline"] + 0.6 * columns["stage_uicc_stage"] + 0.5 * (entity == ENTITIES[1])
    death = random.exponential(20000 * np.exp(-risk))
    end = random.uniform(200, 3000, patients)
    return Cohort(
        patient_id=np.array([f"P{i:04}" for i in range(patients)]),
        cohort=np.full(patients, "made_up"),
        setting=np.full(patients, "diagnosis"),
        entity=entity,
        race=np.full(patients, "", dtype="U20"),
        entry=np.zeros(patients),
        time=np.minimum(death, end).round() + 1,
        event=death < end,
        values=values,
    )


def inputs(table: Cohort, parameters: tuple[str, ...] = PARAMETERS) -> Inputs:
    catalogue = schema()
    scaling = {}
    for key in parameters + ENTITIES:
        column = table.values[:, catalogue.index[key]].astype(float)
        fitted = fit_scaling(catalogue[key], column[~np.isnan(column)])
        assert fitted is not None
        scaling[key] = fitted
    return Inputs(parameters, ENTITIES, scaling)


def wide_inputs(parameters: int = 60) -> Inputs:
    """The catalogue's first parameters, stretched between their plausible limits, and three cancer types."""
    catalogue = schema()
    features = [feature for feature in catalogue.features if not feature.is_entity][:parameters]
    scaling = {feature.key: Scaling("min-max", (feature.low, feature.high), (0.0, 1.0)) for feature in features}
    one_hot = dict.fromkeys(ENTITIES, Scaling("one-hot", (0.0, 1.0), (0.0, 1.0)))
    return Inputs(tuple(scaling), ENTITIES, {**scaling, **one_hot})


def anyone(of: Inputs, patients: int, missing: float = 0.3, seed: int = 0) -> NDArray[np.float32]:
    """Values [patients, 350] anywhere between the outer knots, one cancer type each; `missing` is a share."""
    catalogue, random = schema(), np.random.default_rng(seed)
    values = np.full((patients, len(catalogue)), np.nan, dtype=np.float32)
    for key in of.parameters:
        knots = of.scaling[key].knots
        values[:, catalogue.index[key]] = random.uniform(knots[0], knots[-1], patients)
    values[random.random(values.shape) < missing] = np.nan
    values[:, catalogue.entity_columns] = 0
    values[np.arange(patients), [catalogue.index[key] for key in random.choice(of.entities, patients)]] = 1
    return values


def network(of: Inputs, seed: int = 0, members: int = 5, units: tuple[int, int] = (64, 32)) -> FittedNetwork:
    """Random weights of the size that training yields."""
    random = np.random.default_rng(seed)
    width = 2 * len(of.parameters) + len(of.entities)
    return FittedNetwork(
        inputs=of,
        skip=random.normal(0, 0.3, (members, width)),
        first=random.normal(0, 0.4, (members, units[0], width)),
        second=random.normal(0, 0.2, (members, units[1], units[0])),
        last=random.normal(0, 0.1, (members, units[1])),
    )


def in_float32(net: FittedNetwork) -> FittedNetwork:
    """The same network with weights that a graph holds exactly, still computing in float64."""
    skip, first, second, last = (
        np.asarray(w, dtype=np.float32).astype(np.float64) for w in (net.skip, net.first, net.second, net.last)
    )
    return FittedNetwork(net.inputs, skip, first, second, last, net.usual)


def graphs_of(net: FittedNetwork, catalogue: FeatureSchema) -> dict[str, bytes]:
    return {name: make(net, catalogue) for name, make in MAKERS.items()}


def trained_setting(patients: int = 600, seed: int = 0) -> TrainedSetting:
    """A setting whose weights are random and whose reference groups are true of them."""
    catalogue, table = schema(), cohort(patients, seed)
    net = network(inputs(table), seed)
    pairs = net.inputs.pairs(table.values, catalogue)
    scaled = net.inputs.scaled(table.values, catalogue)
    groups = reference_groups("diagnosis", net.inputs, table, scaled, net.relevance(pairs), catalogue)
    trained = {}
    for key in net.inputs.keys:
        column = table.values[:, catalogue.index[key]]
        known = column[~np.isnan(column)]
        trained[key] = TrainedInput(
            len(known), net.inputs.scaling[key].method, round(float(known.min()), 3), round(float(known.max()), 3)
        )
    setting = Setting(
        time_zero="diagnosis",
        members=len(net.skip),
        trained=trained,
        entities={
            entity: (int((table.entity == entity).sum()), int(table.event[table.entity == entity].sum()))
            for entity in ENTITIES
        },
        slope=0.9,
        slope_interval=(0.8, 1.0),
        cohorts=(TrainingCohort("made_up", len(table), int(table.event.sum()), "a generator", "CC0", "nobody"),),
        groups=groups,
        baselines={"made_up": Baseline((100.0, 1000.0), (0.1, 0.5), 1000.0)},
        anchor="made_up",
        recipe={"seed": float(seed)},
    )
    linear = dict.fromkeys(net.inputs.keys, (1.0, 0.0))
    comparators = Comparators(dict(net.inputs.scaling), {"ridge-cox": linear, "type-only": {}})
    return TrainedSetting("diagnosis", net, setting, comparators)


def write_made_up_package(folder: Path, patients: int = 600, seed: int = 0) -> None:
    """A package that loads and explains, in about 0.2 s; it knows colon, lung and breast cancer."""
    write_package(folder, "made-up", "0.0.1", schema(), [trained_setting(patients, seed)], Evaluation({}), True)
