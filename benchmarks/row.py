"""One row of a benchmark: ours against a peer or a floor measured in the same run."""

import statistics
from collections.abc import Sequence

import msgspec


class Row(msgspec.Struct, frozen=True):
    """`ratio` = ours / floor of the medians; `spread` = (max - min) / median of ours."""

    name: str
    unit: str
    ours: float
    floor: float
    ratio: float
    n: int
    spread: float

    @classmethod
    def of(cls, name: str, unit: str, ours: Sequence[float], floor: Sequence[float]) -> "Row":
        mine, least = statistics.median(ours), statistics.median(floor)
        return cls(
            name,
            unit,
            round(mine, 3),
            round(least, 3),
            round(mine / least, 2) if least else 0.0,
            len(ours),
            round((max(ours) - min(ours)) / mine, 2) if mine else 0.0,
        )
