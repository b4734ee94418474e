"""Inputs of one family (haemoglobin and haematocrit; T, N, M and stage) measure much the same: they stand together.

A network splits what it learned among redundant inputs, at times with opposite signs; only their product says what the
patient's red cells, or the extent of the tumour, mean for the hazard.
"""

import math
from collections.abc import Callable, Iterable

import msgspec

from service.attribution import Factor


class Entry(msgspec.Struct, frozen=True):
    """One or more factors of one family, strongest first; `distance` is the sum of (relevance - typical)."""

    members: tuple[Factor, ...]
    distance: float

    @property
    def factor(self) -> float:
        """The joint factor: the product of the members'."""
        return math.prod(factor.factor for factor in self.members)


def entries(factors: Iterable[Factor], mark: Callable[[Factor], str]) -> list[Entry]:
    """The factors by family, strongest entry first.

    Members of one entry have the same `mark`, so that what it says is true of all of them.
    """
    found: dict[tuple[str, str], list[Factor]] = {}
    for factor in factors:
        found.setdefault((factor.family or factor.feature, mark(factor)), []).append(factor)
    together = [Entry(tuple(members), sum(f.relevance - f.typical for f in members)) for members in found.values()]
    return sorted(together, key=lambda entry: (-abs(entry.distance), entry.members[0].feature))
