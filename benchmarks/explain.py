"""`python -m benchmarks explain`: what an explanation costs beside the score of the same patients, on one core.

The network is that of the setting `diagnosis` in the shipped package, the patients are made up, half of their inputs
missing. Ours and the floor run in turn. Targets: explain at most 2.2 times score, 190 interactions at most 18 times,
30,000 explained patients a second in batches of 1,024.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.row import Row
from fhir_mappings.concepts import catalogue
from models.features import FeatureVector
from models.package import Package
from models.predictor import Predictor
from models.setting import INTERACTING

PACKAGE = Path("models/packages/pan-cancer")
BATCHES = {1: 300, 256: 20, 1_024: 5, 4_096: 2}  # patients, calls of each run
RUNS = 15

Values = NDArray[np.float32]


def run() -> list[Row]:
    predictor = Package.load(PACKAGE, catalogue().schema).network("diagnosis").predictor
    rows = [_explain(predictor, size, calls) for size, calls in BATCHES.items()]
    return [*rows, _interactions(predictor), _throughput(predictor, 1_024)]


def made_up(patients: int, missing: float = 0.5) -> Values:
    """Values [patients, 350] anywhere in their plausible range, one cancer type each."""
    schema, random = catalogue().schema, np.random.default_rng(0)
    low, high = (np.array([getattr(feature, end) for feature in schema.features]) for end in ("low", "high"))
    values = random.uniform(low, high, (patients, len(schema))).astype(np.float32)
    values[random.random(values.shape) < missing] = np.nan
    values[:, schema.entity_columns] = 0
    values[np.arange(patients), random.choice(schema.entity_columns, patients)] = 1
    return values


def _explain(predictor: Predictor, size: int, calls: int) -> Row:
    values = made_up(size)
    ours, floor = _in_turn(lambda: predictor.relevance(values), lambda: predictor.risk(values), calls)
    return Row.of(f"explain, batch {size}, score", "us", ours, floor)


def _interactions(predictor: Predictor) -> Row:
    values = made_up(1, missing=0)
    vector = FeatureVector(values[0], catalogue().schema)
    strongest = np.argsort(-np.abs(predictor.relevance(values)[1][0]))[:INTERACTING]
    pairs = INTERACTING * (INTERACTING - 1) // 2
    ours, floor = _in_turn(lambda: predictor.interactions(vector, strongest), lambda: predictor.risk(values), 100)
    return Row.of(f"{pairs} interactions, score", "us", ours, floor)


def _throughput(predictor: Predictor, size: int) -> Row:
    values = made_up(size)
    ours, floor = _in_turn(lambda: predictor.relevance(values), lambda: predictor.risk(values), BATCHES[size])
    a_second = [[1e6 * size / each for each in times] for times in (ours, floor)]
    return Row.of(f"patients explained in batches of {size}, scored", "/s", *a_second)


def _in_turn(ours: Callable[[], object], floor: Callable[[], object], calls: int) -> tuple[list[float], list[float]]:
    """CPU microseconds of a call, RUNS times; the first run is left out."""
    pairs = [(_cpu_us(ours, calls), _cpu_us(floor, calls)) for _ in range(RUNS + 1)][1:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _cpu_us(work: Callable[[], object], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        work()
    return 1e6 * (time.process_time() - started) / calls
