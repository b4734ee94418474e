"""A linear axis: values to px, and round numbers to label it with."""

import math
from collections.abc import Sequence

import msgspec

WIDE = 50.0  # from the smallest to the largest value, beyond which a linear axis hides the small ones


class Scale(msgspec.Struct, frozen=True):
    """`low` … `high` of the data stand at `start` … `end` px; with `log` they are powers of ten."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        value = math.log10(value) if self.log else value
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, about: int = 6) -> Sequence[tuple[float, str]]:
        """Round numbers inside the axis, and how they are written."""
        if self.log:
            return [(10.0**i, f"{10.0**i:,g}") for i in range(math.ceil(self.low), math.floor(self.high) + 1)]
        step = _round_step((self.high - self.low) / about)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return [(i * step, f"{i * step:,.{digits}f}") for i in range(first, last + 1)]


def scale_of(values: Sequence[float], start: float, end: float) -> Scale:
    """An axis that holds all `values`, with a little room at both ends."""
    return _with_room(min(values), max(values), start, end, log=False)


def skewed_scale_of(values: Sequence[float], start: float, end: float) -> Scale:
    """The same, by powers of ten where positive values span at least WIDE."""
    low, high = min(values), max(values)
    if low > 0 and high / low >= WIDE:
        return _with_room(math.log10(low), math.log10(high), start, end, log=True)
    return scale_of(values, start, end)


def _with_room(low: float, high: float, start: float, end: float, *, log: bool) -> Scale:
    room = 0.04 * (high - low) or 0.5 * abs(high) or 1.0
    return Scale(low - room, high + room, start, end, log)


def _round_step(step: float) -> float:
    power = 10 ** math.floor(math.log10(step))
    return next(float(power * factor) for factor in (1, 2, 5, 10) if power * factor >= step * (1 - 1e-9))
