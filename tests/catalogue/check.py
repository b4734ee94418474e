"""One thing that somebody typed and that the catalogue must still do; tests and the mutation job are made of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

TYPED = Path(__file__).parent / "typed"


class Check(msgspec.Struct, frozen=True):
    """`about` holds the parameters, codes and units it speaks of; `wrong` says what is not as typed, None if all is.

    `by_value` marks a check that compares a cell with the typed one, where no reader can show it by what it does.
    """

    name: str
    about: frozenset[str]
    wrong: Callable[[], str | None]
    by_value: bool = False


def lines(name: str) -> Iterator[tuple[str, str]]:
    """The head and the rest of each line of a typed file; the head ends at the last colon that a blank follows."""
    for line in (TYPED / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            head, _, rest = line.partition(": ")
            yield head.strip(), rest.strip()


def differs(found: float | None, expected: float, tolerance: float = 0.004) -> str | None:
    """None where they agree within `tolerance` of the expected value."""
    if found is not None and abs(found - expected) <= tolerance * abs(expected):
        return None
    return f"{'nothing' if found is None else format(found, 'g')} instead of {expected:g}"
