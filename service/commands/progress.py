"""A word for whoever waits: on standard error, after two seconds, if a person sits there."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

_PATIENCE_SECONDS = 2.0


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
