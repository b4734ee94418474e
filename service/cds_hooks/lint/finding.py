"""What is wrong with something that a CDS service said, and which requirement of CDS Hooks 2.0 says so."""

from collections.abc import Sequence
from typing import Literal

import msgspec

# `advice` is not in the text of the specification: it is what clients make of it.
Level = Literal["SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "MAY", "advice"]


class Finding(msgspec.Struct, frozen=True):
    """`path` leads to the member (`cards[0].source.url`); `requirement` is a number of docs/conformance.md or empty."""

    path: str
    text: str
    level: Level = "SHALL"
    requirement: str = ""

    @property
    def is_error(self) -> bool:
        return self.level in {"SHALL", "SHALL NOT"}

    @property
    def line(self) -> str:
        """For a reader; the path may hold what a service made up, so nothing in it moves a terminal's cursor."""
        kind = "error" if self.is_error else "note"
        told = f"{kind:<5}  {self.path}: {self.text} ({' '.join(filter(None, (self.level, self.requirement)))})"
        return "".join(c if c.isprintable() else "?" for c in told)


def counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def summed_up(findings: Sequence[Finding]) -> str:
    """The last line of a report."""
    errors = sum(finding.is_error for finding in findings)
    return f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'note')}"
