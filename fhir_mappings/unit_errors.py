"""Units that laboratories mistake for each other: what a right value looks like after the error.

The unit is known and the number is wrong, so no table of units can see it. `catalogue/unit_errors.csv` holds, per
parameter, pairs of units: the number in `one` is `factor` times the number in `other`, plus `offset`.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

TEN = 10.0


class UnitError(msgspec.Struct, frozen=True):
    """A number in the unit `sent` that was read as if it were in the unit `read`: number = factor * right + offset."""

    sent: str
    read: str
    factor: float
    offset: float = 0.0

    def wrong(self, right: float) -> float:
        """What a right value becomes by the error."""
        return self.factor * right + self.offset

    def right(self, wrong: float) -> float:
        """What was meant, if this error was made."""
        return (wrong - self.offset) / self.factor

    @property
    def is_slip(self) -> bool:
        """A slip of the decimal point, not of the unit."""
        return not self.sent


TOO_HIGH, TOO_LOW = UnitError("", "", TEN), UnitError("", "", 1 / TEN)


@cache
def unit_errors() -> Mapping[str, tuple[UnitError, ...]]:
    """The errors known of a parameter, both ways; a slip of the decimal point is known of every one, `slips`."""
    found: dict[str, tuple[UnitError, ...]] = {}
    with (files("fhir_mappings") / "catalogue" / "unit_errors.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            factor, offset = float(row["factor"]), float(row["offset"])
            there = UnitError(row["one"], row["other"], factor, offset)
            back = UnitError(row["other"], row["one"], 1 / factor, -offset / factor)
            found[row["feature"]] = (*found.get(row["feature"], ()), there, back)
    return found


def errors_of(feature: str) -> tuple[UnitError, ...]:
    """All errors that can happen to a parameter; a factor of ten stands once."""
    own = unit_errors().get(feature, ())
    return own if any(error.factor == TEN for error in own) else (*own, TOO_HIGH, TOO_LOW)
