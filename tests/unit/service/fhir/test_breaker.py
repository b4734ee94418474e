from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from service.errors import (
    AnswerTooLargeError,
    FhirError,
    NotFhirError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)
from service.fhir.breaker import Breaker, Passage

GONE = UnreachableError("ConnectError")


class Server:
    """A breaker that opens after three failures for five seconds, and a clock."""

    def __init__(self) -> None:
        self.breaker = Breaker(failures=3, open_seconds=5.0)
        self.now = 0.0

    @contextmanager
    def asked(self) -> Iterator[Passage]:
        with self.breaker.passage(lambda: self.now) as passage:
            yield passage

    def fails(self, times: int = 1, told: FhirError = GONE, *, hurried: bool = False) -> None:
        for _ in range(times):
            with self.asked() as passage:
                passage.judge(told, hurried=hurried)

    def answers(self) -> None:
        with self.asked() as passage:
            passage.answered()

    def is_let_through(self) -> bool:
        try:
            self.breaker.check(self.now)
            if self.breaker.is_probing:
                return False  # it would wait
        except UnreachableError:
            return False
        return True


@pytest.fixture
def server() -> Server:
    return Server()


def test_it_opens_after_failures_in_a_row(server: Server) -> None:
    """Then nothing is let through, and the error says that it was not asked and why."""
    server.fails(2)
    assert server.is_let_through()
    server.fails()
    assert server.breaker.is_open
    with pytest.raises(UnreachableError, match="not asked: it failed 3 times in a row"), server.asked():
        pytest.fail("was let through")


def test_an_answer_between_failures_begins_anew(server: Server) -> None:
    """Failures count only in a row."""
    server.fails(2)
    server.answers()
    server.fails(2)
    assert server.is_let_through()


def test_one_patients_500_takes_the_server_from_nobody(server: Server) -> None:
    """An internal error may be due to what was asked for: it neither opens the breaker nor closes it."""
    server.fails(100, RefusedError("answered with HTTP status 500", 500))
    assert server.is_let_through()
    server.fails(3, RefusedError("answered with HTTP status 503", 503))
    assert not server.is_let_through()
    server.now = 5.0
    server.fails(1, RefusedError("answered with HTTP status 500", 500))
    assert server.breaker.is_open
    assert server.is_let_through()


def test_after_some_seconds_one_probe_is_let_through(server: Server) -> None:
    """One only; its answer closes the breaker."""
    server.fails(3)
    server.now = 4.9
    assert not server.is_let_through()
    server.now = 5.0
    with server.asked() as probe:
        assert not server.is_let_through()
        assert server.breaker.is_open
        probe.answered()
    assert server.is_let_through()
    assert not server.breaker.is_open


def test_a_failed_probe_opens_it_again(server: Server) -> None:
    """For as long again."""
    server.fails(3)
    server.now = 5.0
    server.fails()
    server.now = 9.9
    assert not server.is_let_through()
    server.now = 10.0
    assert server.is_let_through()


def test_a_cancelled_probe_says_nothing(server: Server) -> None:
    """Whoever gives up waiting leaves neither a failure nor a breaker that waits for ever: the next is the probe."""
    server.fails(3)
    server.now = 5.0
    with pytest.raises(KeyboardInterrupt), server.asked():
        raise KeyboardInterrupt
    assert server.breaker.is_open
    server.answers()
    assert not server.breaker.is_open


def test_cancelled_requests_are_no_failures(server: Server) -> None:
    """However many are given up, the breaker stays closed, and what went before counts on."""
    server.fails(2)
    for _ in range(10):
        with server.asked():
            pass
    assert server.is_let_through()
    server.fails()
    assert server.breaker.is_open


def test_what_was_on_its_way_does_not_keep_it_open(server: Server) -> None:
    """Requests that were sent before it opened and fail afterwards do not begin the seconds anew."""
    with server.asked() as old, server.asked() as older:
        server.fails(3)
        server.now = 4.0
        older.judge(GONE, hurried=False)
        old.judge(GONE, hurried=False)
    server.now = 5.0
    assert server.is_let_through()


def test_what_was_on_its_way_and_is_answered_closes_it(server: Server) -> None:
    """A server that answers is there; a probe that is still on its way then is one no longer."""
    with ExitStack() as first_probe:
        with server.asked() as old:
            server.fails(3)
            server.now = 5.0
            first_probe.enter_context(server.asked())
            old.answered()
        assert not server.breaker.is_open
        server.fails(3)
        server.now = 10.0
        with server.asked():
            first_probe.close()
            assert not server.is_let_through()


@pytest.mark.parametrize(
    ("told", "hurried", "opens"),
    [
        (GONE, False, True),
        (GONE, True, True),
        (TimedOutError("no answer within 5 s"), False, True),
        (TimedOutError("no answer within 0.1 s"), True, False),
        (RefusedError("", 500), False, False),
        (RefusedError("", 502), False, True),
        (RefusedError("", 503), False, True),
        (RefusedError("", 501), False, False),
        (RefusedError("", 429), False, False),
        (RefusedError("", 401), False, False),
        (RefusedError("", 404), False, False),
        (NotFhirError(""), False, False),
        (AnswerTooLargeError(""), False, False),
    ],
)
def test_failures_are_what_a_server_that_is_down_does(
    server: Server, told: FhirError, hurried: bool, opens: bool
) -> None:
    """No connection, no answer in its own time, or that it cannot serve; not a refusal, nor that we had less time."""
    server.fails(3, told, hurried=hurried)
    assert server.breaker.is_open is opens
