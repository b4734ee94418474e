"""An event loop whose time jumps to the next timer as soon as nothing else is to be done: pauses cost no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_Ready = list[tuple[selectors.SelectorKey, int]]


class _Skipping(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> _Ready:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise AssertionError("nothing will ever happen")
            self.now += max(timeout, 0.0)
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


def run_skipping(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Like asyncio.run, from moment 0 on."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(work)
