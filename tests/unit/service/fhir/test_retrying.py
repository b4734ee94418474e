import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from service.errors import NotAskedError, RefusedError, UnreachableError
from service.fhir.retrying import ATTEMPTS, AgainError, Budget, retried, wait_of
from tests.unit.service.skipping_loop import run_skipping

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
BUSY = RefusedError("answered with HTTP status 503", 503)


class Attempts:
    """Fails as told, then gives "answer"; knows when it was tried."""

    def __init__(self, *failures: Exception) -> None:
        self.at: list[float] = []
        self._failures = iter(failures)

    async def __call__(self) -> str:
        self.at.append(asyncio.get_running_loop().time())
        failure = next(self._failures, None)
        if failure is not None:
            raise failure
        return "answer"


def run(
    attempts: Attempts, budget: Budget | None = None, until: float = math.inf, draw: Callable[[], float] = lambda: 1.0
) -> str:
    async def work() -> str:
        return await retried(attempts, budget or Budget(), until, draw)

    return run_skipping(work())


def test_what_may_pass_is_tried_again() -> None:
    """After a pause that doubles; the answer is that of the last attempt."""
    attempts = Attempts(AgainError(BUSY), AgainError(UnreachableError("reset")))
    assert run(attempts) == "answer"
    assert attempts.at == pytest.approx([0.0, 0.05, 0.15])


def test_pauses_are_drawn_at_random() -> None:
    """Full jitter: anything between no pause and the whole one."""
    attempts, draws = Attempts(AgainError(BUSY), AgainError(BUSY)), iter([0.0, 0.5])
    run(attempts, draw=lambda: next(draws))
    assert attempts.at == pytest.approx([0.0, 0.0, 0.05])


def test_a_breaker_that_opens_in_between_hides_no_failure() -> None:
    """Of two failures the one that the server itself made is told; the first attempt has no other."""
    with pytest.raises(RefusedError):
        run(Attempts(AgainError(BUSY), NotAskedError("not asked")))
    with pytest.raises(NotAskedError):
        run(Attempts(NotAskedError("not asked")))


def test_after_some_attempts_the_failure_is_told() -> None:
    """The last failure is raised, with its cause."""
    cause = OSError("reset")
    failure = AgainError(UnreachableError("ReadError"))
    failure.__cause__ = cause
    attempts = Attempts(*[failure] * ATTEMPTS)
    with pytest.raises(UnreachableError) as caught:
        run(attempts)
    assert caught.value is failure.told
    assert caught.value.__cause__ is cause
    assert len(attempts.at) == ATTEMPTS


def test_what_does_not_pass_is_not_tried_again() -> None:
    """Every other error is raised as it is."""
    attempts = Attempts(RefusedError("answered with HTTP status 401", 401))
    with pytest.raises(RefusedError):
        run(attempts)
    assert len(attempts.at) == 1


def test_the_server_says_how_long() -> None:
    """A wait that it asks for is kept, and a random part comes on top."""
    attempts = Attempts(AgainError(BUSY, wait=3.0))
    run(attempts)
    assert attempts.at == pytest.approx([0.0, 3.05])


@pytest.mark.parametrize(("wait", "until"), [(3.0, 3.0), (0.0, 0.02), (60.0, math.inf), (math.inf, math.inf)])
def test_no_pause_goes_beyond_the_deadline(wait: float, until: float) -> None:
    """Where the pause would end after the deadline, or the server wants more than 10 s, the failure is told at once."""
    attempts = Attempts(AgainError(BUSY, wait))
    with pytest.raises(RefusedError):
        run(attempts, until=until)
    assert attempts.at == [0.0]


def test_retries_are_a_tenth_of_the_requests() -> None:
    """After five to begin with, one in ten requests may be tried again, however many fail."""
    budget, tried = Budget(), 0
    for _ in range(1_000):
        attempts = Attempts(*[AgainError(BUSY)] * ATTEMPTS)
        with pytest.raises(RefusedError):
            run(attempts, budget, draw=lambda: 0.0)
        tried += len(attempts.at)
    assert tried - 1_000 == pytest.approx(105, abs=1)


def test_good_times_do_not_fill_the_budget_for_ever() -> None:
    """A thousand good requests allow no more than five retries at once."""
    budget = Budget()
    for _ in range(1_000):
        budget.earn()
    assert [budget.spend() for _ in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("0", 0.0), ("7", 7.0), (" 120 ", 120.0), ("9" * 400, math.inf),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0), ("Wednesday, 21-Oct-26 07:28:30 GMT", 30.0),
        ("Wed Oct 21 07:28:30 2026", 30.0), ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("", 0.0), ("soon", 0.0), ("-5", 0.0), ("1.5", 0.0), ("\u0667", 0.0), ("1e3", 0.0), ("99, 99", 0.0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0.0), ("Mon, 01 Jan 2020 00:00:00 +99999999999999", 0.0),
        ("Mon, 99999999999999999999 Jan 2020 00:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(retry_after: str, seconds: float) -> None:
    """In every form of RFC 9110, read beside the server's own clock; what is neither is no wait."""
    assert wait_of(retry_after, DATE) == seconds


def test_without_the_servers_clock_ours_counts() -> None:
    """A date of a server that does not state its time is compared with the present."""
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 0 < wait_of(in_a_minute) <= 60
    assert wait_of(DATE.replace("2026", "2020")) == 0
