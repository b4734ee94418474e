"""Leaving a server alone that has failed several times in a row, and noticing when it is back.

While the breaker is open, calls fail at once instead of waiting for an answer that does not come, and the server is not
kept down by requests. After some seconds one request is let through as a probe; its answer closes the breaker. The
other searches of the same patient wait for it: failing at once, they would end the call and with it the probe.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.errors import FhirError, NotAskedError, RefusedError, TimedOutError, UnreachableError

FAILURES = 10  # in a row; a patient is about 15 searches side by side
OPEN_SECONDS = 5.0
# The server, or what stands before it, says that it cannot serve now. 500 may be due to one patient's data: were it
# counted, whoever opens that chart would take the server from everybody else.
_DOWN = frozenset({502, 503, 504})
_SERVER_ERROR = 500
_NOT_IMPLEMENTED = 501  # says something of the request, not of the server


class Passage:
    """One attempt. Unless it is judged it says nothing of the server: it was cancelled, or had too little time.

    Nor does an answer of which it is not clear whether it is due to the server or to what was asked for (500).
    """

    def __init__(self) -> None:
        self.failed: bool | None = None

    def answered(self) -> None:
        self.failed = False

    def judge(self, told: FhirError, *, hurried: bool) -> None:
        """What an error says of the server. `hurried`: it had clearly less time than the settings give it."""
        if isinstance(told, TimedOutError):
            self.failed = None if hurried else True
        elif isinstance(told, RefusedError):
            is_unclear = told.status >= _SERVER_ERROR and told.status != _NOT_IMPLEMENTED
            self.failed = True if told.status in _DOWN else None if is_unclear else False
        else:
            self.failed = isinstance(told, UnreachableError)


class Breaker:
    """One server's. Every moment is of one clock, in seconds."""

    def __init__(self, failures: int = FAILURES, open_seconds: float = OPEN_SECONDS) -> None:
        self._most = failures
        self._open_seconds = open_seconds
        self._in_a_row = 0
        self._opened_at: float | None = None
        self._probe: Passage | None = None

    @property
    def is_open(self) -> bool:
        """Until a request was answered: also while the probe is on its way."""
        return self._opened_at is not None

    @property
    def is_probing(self) -> bool:
        """Whether a probe is on its way; what it learns holds for those who wait for it."""
        return self._probe is not None

    def check(self, now: float) -> None:
        """Raises NotAskedError where no request would be let through, nor learn anything by waiting for a probe."""
        if self._opened_at is not None and not self._probe and now - self._opened_at < self._open_seconds:
            raise self._left_alone

    @property
    def _left_alone(self) -> NotAskedError:
        return NotAskedError(f"not asked: it failed {self._in_a_row} times in a row")

    @contextmanager
    def passage(self, now: Callable[[], float]) -> Iterator[Passage]:
        """Let one attempt through. Raises NotAskedError while open, and while a probe is on its way."""
        self.check(now())
        if self._probe:
            raise self._left_alone
        passage = Passage()
        if self.is_open:
            self._probe = passage
        try:
            yield passage
        finally:
            is_probe = self._probe is passage
            if is_probe:
                self._probe = None
            if passage.failed is not None:
                self._learn(failed=passage.failed, is_probe=is_probe, now=now())

    def _learn(self, *, failed: bool, is_probe: bool, now: float) -> None:
        if not failed:
            self._in_a_row, self._opened_at, self._probe = 0, None, None
        elif is_probe or not self.is_open:  # what was on its way when it opened is no news
            self._in_a_row += 1
            if self._in_a_row >= self._most:
                self._opened_at = now
