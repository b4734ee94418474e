"""Fits that are kept: training and evaluation go on where they were interrupted, and do no fit twice.

A fit is named by everything that decides it: the patients, the inputs, the recipe and the source of the code that fits.
Another code is another fit, so an old one is never taken for a new one.
"""

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from models.features import FeatureSchema
from models.network import dense
from models.network.fitted import FittedNetwork
from models.training import centring, cox, folds, network_training, ridge
from models.training.network_training import Progress, Recipe, TrainedNetwork, train_network
from models.training.ridge import CentredRidge, Table

Fit = Callable[[Table, FeatureSchema, Recipe, Progress], TrainedNetwork]

WEIGHTS = ("skip", "first", "second", "last")
LINEAR = ("beta", "mean", "strength")
CODE = (
    dense, centring, cox, network_training, folds.deal, FittedNetwork.members, FittedNetwork.relevance, ridge.means,
    ridge.design, ridge.fit_ridge, ridge.choose_strength, ridge.CentredRidge,
)  # fmt: skip


class KeptFits:
    """A folder of fits, one `.npz` file each. Nothing in it names a patient."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, table: Table, schema: FeatureSchema, recipe: Recipe, progress: Progress) -> TrainedNetwork:
        """As `train_network`, read from the folder where it has been done before. Raises OSError if it cannot write."""
        path = self.folder / f"{fit_name(table, recipe)}.npz"
        if path.exists():
            progress("read")
            return _read(path, table)
        trained = train_network(table, schema, recipe, progress)
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(path, trained)
        return trained


def fit_name(table: Table, recipe: Recipe) -> str:
    """Sha256 of all that a fit depends on; patients enter by their values and outcomes, not by name."""
    digest = hashlib.sha256(_source())
    digest.update(msgspec.json.encode([recipe, table.inputs]))
    cohort = table.cohort
    for column in (table.pairs, cohort.entry, cohort.time, cohort.event):
        digest.update(np.ascontiguousarray(column).tobytes())
    digest.update("\n".join([*cohort.cohort.tolist(), *cohort.entity.tolist()]).encode())
    return digest.hexdigest()


def _source() -> bytes:
    return "".join(inspect.getsource(part) for part in CODE).encode()


def _write(path: Path, trained: TrainedNetwork) -> None:
    arrays = {name: getattr(trained.network, name) for name in WEIGHTS}
    arrays |= {name: getattr(trained.ridge, name) for name in LINEAR}
    unfinished = path.with_suffix(".part.npz")
    np.savez(unfinished, epoch=trained.epoch, gain=trained.gain, **arrays)
    unfinished.replace(path)  # an interrupted write leaves no fit behind


def _read(path: Path, table: Table) -> TrainedNetwork:
    with np.load(path, allow_pickle=False) as kept:
        skip, first, second, last = (kept[name] for name in WEIGHTS)
        network = FittedNetwork(table.inputs, skip, first, second, last)
        linear = CentredRidge(table.inputs, *(kept[name] for name in LINEAR))
        return TrainedNetwork(network, linear, int(kept["epoch"]), float(kept["gain"]))
