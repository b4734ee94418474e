"""A word for whoever waits: on standard error, after two seconds, if a person sits there."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

_PATIENCE_SECONDS = 2.0
_OFTEN_SECONDS = 0.5


@contextmanager
def announced(doing: str) -> Iterator[None]:
    """Say what is being done if it takes long and standard error is a terminal."""
    timer = threading.Timer(_PATIENCE_SECONDS, lambda: click.echo(f"{doing} ...", err=True))
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


class StandingLine:
    """One line that says where long work stands and is written over; other lines come above it."""

    def __init__(self, doing: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._doing = doing
        self._stream = stream or sys.stderr
        self._clock = clock
        self._is_shown = False
        self._next = clock() + _PATIENCE_SECONDS

    def stands(self, text: str) -> None:
        """Say it, at most twice a second, if the work takes long and standard error is a terminal."""
        now = self._clock()
        if now < self._next or not self._stream.isatty():
            return
        self._next = now + _OFTEN_SECONDS
        self._is_shown = True
        click.echo(f"\r\033[K{self._doing}: {text}", self._stream, nl=False)

    def say(self, line: str) -> None:
        """A whole line on standard error, for good."""
        self.end()
        click.echo(line, self._stream)

    def end(self) -> None:
        if self._is_shown:
            click.echo("\r\033[K", self._stream, nl=False)
            self._is_shown = False
