"""Members of the assessment object that only a sequence of answers has: what changed, and which one this is."""

import msgspec


class Change(msgspec.Struct, frozen=True, gc=False):
    """A parameter whose term changed: its factor now divided by its factor before (1 where it had or has none)."""

    feature: str
    label: str
    factor: float


class Range(msgspec.Struct, frozen=True, gc=False):
    """The position of the answer before: percentile, and the range that it was said to lie in."""

    percentile: int
    low: int
    high: int


class Update(msgspec.Struct, frozen=True, omit_defaults=True):
    """`number` counts the answers, `final` is the last one; `narrowed`: whether its range is the smaller one."""

    number: int
    final: bool
    previous: Range | None = None
    narrowed: bool | None = None
