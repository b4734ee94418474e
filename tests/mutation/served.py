"""A changed catalogue in place of the shipped one, inside this process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from fhir_mappings.concepts import DATA, Catalogue, catalogue
from models.features import FeatureSchema

SHIPPED = DATA
_FOLDERS = ("DATA", "CATALOGUE")  # the names under which modules hold the catalogue's folder


@contextmanager
def served(folder: Path, table: str) -> Iterator[None]:
    """Let every module of fhir_mappings read its tables from `folder`, whose `table` alone is another one.

    The compiled catalogue is changed in place, its codes only where they differ: compiling them takes most of the time.
    What else was read before is forgotten.
    """
    source = catalogue()
    before = dict(vars(source))
    held = [(m, name) for m in _modules() for name in _FOLDERS if vars(m).get(name) == SHIPPED]
    if table == "concept_map.csv":
        vars(source).update(vars(Catalogue(folder)))
    elif table == "features.csv":
        source.schema = FeatureSchema.read(folder / table)
    _move(held, folder)
    try:
        yield
    finally:
        vars(source).update(before)
        _move(held, SHIPPED)


def _move(held: list[tuple[ModuleType, str]], folder: Path) -> None:
    for module, name in held:
        setattr(module, name, folder)
    for module in _modules():
        for value in vars(module).values():
            if value is not catalogue and callable(forget := getattr(value, "cache_clear", None)):
                forget()


def _modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "fhir_mappings"]
