# ruff: noqa: PLC0415 - training libraries are heavy and absent from the served image: commands import them when called
"""What the commands `cohort` and `model` share: files, the catalogue, progress, errors in one line."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from fhir_mappings.table_rows import OverlayError
from service.commands.failure import Failure
from service.commands.progress import StandingLine

if TYPE_CHECKING:
    from models.features import FeatureSchema
    from models.training.cohort import Cohort
    from models.training.fits import Fit


class NewFile(click.Path):
    """A file to write, after minutes or hours of work: that its folder is there is seen before."""

    def __init__(self, suffixes: tuple[str, ...] = ()) -> None:
        super().__init__(dir_okay=False, path_type=Path)
        self._suffixes = suffixes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(str(super().convert(value, param, ctx)))
        if self._suffixes and path.suffix not in self._suffixes:
            self.fail(f"a cohort file ends in {' or '.join(self._suffixes)}", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        return path


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = NewFile()
COHORT_FILE = NewFile((".parquet", ".csv"))
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)


def fitting(folder: Path | None) -> "Fit":
    from models.training.fits import KeptFits
    from models.training.network_training import train_network

    return KeptFits(folder) if folder else train_network


def schema() -> "FeatureSchema":
    from fhir_mappings.concepts import catalogue

    return catalogue().schema


def joined(files: tuple[Path, ...]) -> "Cohort":
    """All patients of the files. Raises CohortError naming a file in which nobody died."""
    from models.training.cohort import NOBODY_DIED, CohortError, join_cohorts, read_cohort

    tables = [read_cohort(file, schema()) for file in files]
    for file, table in zip(files, tables, strict=True):
        if not table.event.any():
            raise CohortError(f"{file.name}: {NOBODY_DIED}")
    return join_cohorts(tables)


def with_entities(table: "Cohort", entities: tuple[str, ...]) -> "Cohort":
    """The patients with one of these cancer types (with or without `entity_`); all of them where none is named."""
    import numpy as np

    if not entities:
        return table
    wanted = [name if name.startswith("entity_") else f"entity_{name}" for name in entities]
    for name in wanted:
        if name not in set(table.entity.tolist()):
            raise click.UsageError(f"--entity {name}: no such patient in the files")
    return table.rows(np.isin(table.entity, wanted))


def is_synthetic(*tables: "Cohort | None") -> bool:
    """Whether nobody in the tables is a patient. Raises CohortError where some are and some are not."""
    from models.training.cohort import CohortError
    from models.training.sources import SYNTHETIC

    names = {name for table in tables if table is not None for name in table.cohort.tolist()}
    made_up, real = sorted(SYNTHETIC & names), sorted(names - SYNTHETIC)
    if made_up and real:
        raise CohortError(f"{made_up[0]} is made up, {real[0]} is not: a package is of one or the other")
    return bool(made_up)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """What is not right with a file becomes one line and exit code 1."""
    try:
        from models.package import PackageError

        yield
    except ModuleNotFoundError as error:
        need = "this needs the extra `train` (pip install -r requirements/train.txt)"
        raise Failure(f"{error.name} is not installed: {need}", 1) from error
    except OverlayError:
        raise  # no error of the file: every command ends alike
    except (PackageError, ValueError) as error:
        raise Failure(str(error), 1) from error
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1) from error


def telling(what: str) -> Callable[[str], None]:
    """Where training stands, on one line of a terminal."""
    return StandingLine(what).stands


def use_one_thread() -> None:
    """Sums in a fixed order: training repeats to the last digit on one machine."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")


def print_json(content: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(content), indent=1).decode())
