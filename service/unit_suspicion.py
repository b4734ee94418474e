"""Numbers that no training patient had and that would be usual in another unit: probably errors of unit."""

from collections.abc import Mapping
from functools import cache

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.unit_errors import UnitError, errors_of
from models.manifest import TrainedInput


class SuspectedUnit(msgspec.Struct, frozen=True):
    """A parameter, the error that would explain its value, and the value that would then be right."""

    feature: str
    error: UnitError
    right: float


def suspected_units(known: Mapping[str, float], trained: Mapping[str, TrainedInput]) -> tuple[SuspectedUnit, ...]:
    """Of the values `known`, those that an error of unit would explain, one explanation each.

    Held-out patients raise a false alarm in 0.0 to 0.5 % of cases (docs/unit-errors.md).
    """
    found = []
    for key, value in known.items():
        entry = trained.get(key)
        if entry is None or entry.usual is None or entry.low <= value <= entry.high or not _is_measured(key):
            continue
        explanations = (SuspectedUnit(key, error, error.right(value)) for error in errors_of(key))
        likely = next((one for one in explanations if _explains(one, entry.usual)), None)
        if likely:
            found.append(likely)
    return tuple(found)


@cache
def _is_measured(key: str) -> bool:
    """Laboratory values and vital signs as they were sent; what is computed from them follows them."""
    feature = catalogue().schema[key]
    return feature.modality in {"laboratory", "function"} and feature.aggregation not in {"derived", "count", "change"}


def _explains(suspected: SuspectedUnit, usual: tuple[float, float]) -> bool:
    """Whether the right value would be usual, and the error moves every usual value out of the usual ones.

    Where it does not, as a factor of ten in a tumour marker that spans decades, an extreme value is more likely real.
    """
    low, high = usual
    wrong_low, wrong_high = sorted((suspected.error.wrong(low), suspected.error.wrong(high)))
    return low <= suspected.right <= high and (wrong_low > high or wrong_high < low)
