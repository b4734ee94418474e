"""A linear axis: values to px, and round numbers to label it with."""

import math
from collections.abc import Sequence

import msgspec


class Scale(msgspec.Struct, frozen=True):
    """`low` … `high` of the data stand at `start` … `end` px."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, about: int = 6) -> Sequence[tuple[float, str]]:
        """Round numbers inside the axis, and how they are written."""
        step = _round_step((self.high - self.low) / about)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return [(i * step, f"{i * step:,.{digits}f}") for i in range(first, last + 1)]


def scale_of(values: Sequence[float], start: float, end: float) -> Scale:
    """An axis that holds all `values`, with a little room at both ends."""
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or 0.5 * abs(high) or 1.0
    return Scale(low - room, high + room, start, end)


def _round_step(step: float) -> float:
    power = 10 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * (1 - 1e-9))
