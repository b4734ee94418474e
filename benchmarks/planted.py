"""`python -m benchmarks planted`: what training finds of a planted truth, against what there is to find.

`floor` is what is possible: all pairs, the concordance of the true risk, a slope of 1, the nominal 90 %, nothing said
of what does not act. Trained with the recipe of `model train`, measured on HELD_OUT others: `planted` over all
parameters of the catalogue with as many patients as that takes, `planted-few` over those of the synthetic package,
`planted-sizes` over all with fewer and with more patients. Needs the extra `train`, takes a quarter of an hour and more
of one core, and therefore runs only where it is named.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from benchmarks.row import Row
from fhir_mappings.concepts import catalogue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.network.fitted import FittedNetwork
    from models.training.planted.planting import PlantedCohort
    from models.training.ridge import Table

# ruff: noqa: PLC0415 - training libraries are heavy and not always there
ENOUGH = 25_000  # patients for all parameters: about what the largest cohort at hand has
OTHER_SIZES = (6_000, 12_000, 40_000)
FEW, SEEDS = 6_000, (1, 2, 3)  # patients for the parameters of the package
HELD_OUT = 3_000
CANDIDATES, LOOKED_AT = 60, 300  # parameters and patients whose interactions are computed the slow way
NOMINAL = 0.9
POSSIBLE = {
    "planted pairs among the 20 strongest": 1.0,
    "the 10 strongest that are planted": 1.0,
    "size of the planted pairs that is found": 1.0,
    "key markers that act": 1.0,
    "true key markers that are found": 1.0,
    "strongest markers, as many as act, that act": 1.0,
    "null parameters, against those that act": 0.0,
    "rank correlation of effects": 1.0,
    "calibration slope": 1.0,
    "interval holds the true log-risk": NOMINAL,
    "the same, recalibrated on other patients": NOMINAL,
}
CONCORDANCE = "C on patients held out"


def run() -> list[Row]:
    return _all_parameters((ENOUGH,))


def run_sizes() -> list[Row]:
    return _all_parameters(OTHER_SIZES)


def run_few() -> list[Row]:
    _one_thread()
    from demo.planted_package import measured

    return _rows("69 parameters", [_found(FEW, seed, measured(catalogue().schema)) for seed in SEEDS])


def _all_parameters(sizes: Sequence[int]) -> list[Row]:
    _one_thread()
    keys = frozenset(catalogue().schema.keys)
    return [row for size in sizes for row in _rows(f"all, {size:,} patients", [_found(size, SEEDS[0], keys)])]


def _one_thread() -> None:
    """Sums in a fixed order, as in `oncohooks model train`."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")


def _rows(what: str, found: list[Mapping[str, tuple[float, float]]]) -> list[Row]:
    return [
        Row.of(f"{what}: {name}", "", [one[name][0] for one in found], [one[name][1] for one in found])
        for name in found[0]
    ]


def _found(patients: int, seed: int, keys: frozenset[str]) -> dict[str, tuple[float, float]]:
    """Ours and what is possible, by what is measured, for one seed."""
    import numpy as np

    from models.training.network_training import Recipe, train_network
    from models.training.planted.planting import only, plant
    from models.training.ridge import Table
    from models.training.selection import select_inputs

    schema = catalogue().schema
    planted = only(plant(patients + HELD_OUT, seed, schema), keys, schema)
    seen = np.arange(patients + HELD_OUT) < patients
    table = Table.of(select_inputs(planted.cohort.rows(seen), schema), planted.cohort, schema)
    tell = _tell(f"{patients} patients, seed {seed}, {len(table.inputs.parameters)} parameters")
    network = train_network(table.rows(seen), schema, Recipe(seed=seed), tell).network
    return _measured(network, table.rows(~seen), planted.rows(~seen))


def _measured(network: "FittedNetwork", test: "Table", planted: "PlantedCohort") -> dict[str, tuple[float, float]]:
    import numpy as np

    from models.training.calibration import calibration_slope
    from models.training.concordance import harrell
    from models.training.key_markers import of_cohort
    from models.training.mixed_differences import most_relevant, strongest_pairs
    from models.training.planted import recovery

    schema, truth, cohort = catalogue().schema, planted.truth, planted.cohort
    looked_at = np.arange(len(cohort)) < LOOKED_AT
    deviations = recovery.network_deviations(network, test, schema)
    markers = of_cohort(deviations)
    candidates = most_relevant(network, test.pairs, CANDIDATES)
    effects, members = recovery.found_effects(network, test), network.members(test.pairs)
    strongest = strongest_pairs(network, test.pairs[looked_at], candidates)
    slope = calibration_slope(network.risk(test.pairs), test.risk_sets())
    ours = (
        recovery.recovered_pairs(strongest, truth),
        recovery.pair_precision(strongest, truth),
        float(np.median(recovery.pair_sizes(network, test.rows(looked_at), planted.rows(looked_at), schema))),
        recovery.marker_precision(markers, truth),
        recovery.marker_recall(markers, recovery.true_deviations(planted, schema)),
        recovery.ranked_precision(deviations, truth),
        recovery.null_strength(deviations, test.inputs.parameters, truth),
        recovery.rank_correlation(list(truth.effects.values()), [effects[key] for key in truth.effects]),
        slope.value if slope else 0.0,
        recovery.measured_level(members, planted.true_risk),
        _recalibrated_level(members, test, planted),
    )
    outcome = cohort.time, cohort.event, cohort.entry
    return {name: (value, POSSIBLE[name]) for name, value in zip(POSSIBLE, ours, strict=True)} | {
        CONCORDANCE: (harrell(network.risk(test.pairs), *outcome), harrell(planted.true_risk, *outcome))
    }


def _recalibrated_level(members: "NDArray[np.float64]", test: "Table", planted: "PlantedCohort") -> float:
    """Of one half, with the slope of the other: as a package recalibrates."""
    import numpy as np

    from models.training.calibration import calibration_slope
    from models.training.planted.recovery import measured_level

    one = np.arange(len(members)) < len(members) // 2
    slope = calibration_slope(members.mean(axis=1)[one], test.rows(one).risk_sets())
    return measured_level((slope.value if slope else 1.0) * members[~one], planted.true_risk[~one])


def _tell(what: str) -> Callable[[str], None]:
    def tell(text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{what}: {text}", end="", file=sys.stderr, flush=True)

    return tell
