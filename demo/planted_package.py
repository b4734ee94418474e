"""`python -m demo.planted_package [FOLDER]`: makes the synthetic package of `scripts/demo --model planted` anew.

Takes ten minutes or so, the extra `train`, and no data: its patients are made up (docs/planted.md). What acts in the
planted truth is measured, all of imaging and therapy, and of the rest nothing: so it stays small.
"""

import os
import sys
from pathlib import Path

from fhir_mappings.concepts import catalogue
from models.features import FeatureSchema

# ruff: noqa: PLC0415 - training libraries are heavy and not always there
FOLDER = Path(__file__).parents[1] / "models/packages/planted"
NAME, VERSION = "planted", "1"
PATIENTS, SEED = 5_000, 1
THERAPY = ("tx_", "med_")


def measured(schema: FeatureSchema) -> frozenset[str]:
    """The parameters that the package's cohort has, cancer types aside."""
    from models.training.planted.planting import acting
    from models.training.planted.truth import planted_truth

    shown = {f.key for f in schema.features if f.modality == "imaging" or f.key.startswith(THERAPY)}
    return frozenset(shown | set(acting(planted_truth())))


def make(folder: Path, patients: int = PATIENTS) -> None:
    """Plant, cross-validate, train, write."""
    from models.training.network_training import Recipe
    from models.training.package_training import train_package
    from models.training.packaging import write_package
    from models.training.planted.planting import only, plant

    schema = catalogue().schema
    cohort = only(plant(patients, SEED, schema), measured(schema), schema).cohort
    settings, evaluation = train_package(cohort, None, schema, Recipe(), lambda _: _tell)
    write_package(folder, NAME, VERSION, schema, settings, evaluation, synthetic=True)


def _tell(text: str) -> None:
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # sums in a fixed order, as `oncohooks model train` does it
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
