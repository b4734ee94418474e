"""`python -m tests.conformance.page > docs/conformance.md`: every requirement, and the test that holds it."""

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.conformance.rule import Rule
from tests.conformance.rules import RULES

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
_TABLE = Path(__file__).parent / "requirements.csv"
_SECTIONS = "https://cds-hooks.hl7.org/2.0/#"


class Requirement(NamedTuple):
    """A statement of CDS Hooks 2.0 that binds a service. `about` is our own short form of it, not its text."""

    id: str
    level: str
    section: str
    about: str
    not_tested_because: str

    @property
    def rules(self) -> Sequence[Rule]:
        return [rule for rule in RULES if self.id in rule.ids]

    @property
    def binds(self) -> bool:
        return self.level in {"SHALL", "SHALL NOT"}

    @property
    def state(self) -> str:
        """Tested on replies; guarded: today's replies hold no such thing, the check waits for it; or not tested."""
        if self.not_tested_because:
            return "not tested"
        return "guarded" if all(rule.never_sent for rule in self.rules) else "tested"

    @property
    def row(self) -> str:
        section = f"[{self.section}]({_SECTIONS}{self.section})"
        return f"| {self.id} | {self.level} | {section} | {self.about} | {self.state} | {self._how} |"

    @property
    def _how(self) -> str:
        if self.not_tested_because:
            return self.not_tested_because
        checks = ", ".join(
            f"`{rule.holds.__module__.rpartition('.')[2]}.{rule.name}` ({len(rule.mutants)})" for rule in self.rules
        )
        reasons = "; ".join(dict.fromkeys(rule.never_sent for rule in self.rules if rule.never_sent))
        return f"{checks}; {reasons}" if reasons else checks


@cache
def requirements() -> Sequence[Requirement]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return [Requirement(**row) for row in csv.DictReader(file)]


def document() -> str:
    """docs/conformance.md, whole."""
    levels = sorted({requirement.level for requirement in requirements()})
    counts = Counter((requirement.level, requirement.state) for requirement in requirements())
    table = [
        f"| {level} | {' | '.join(str(counts[level, state]) for state in _STATES)} "
        f"| {sum(counts[level, state] for state in _STATES)} |"
        for level in levels
    ]
    sums = [sum(counts[level, state] for level in levels) for state in _STATES]
    total = f"| all | {' | '.join(map(str, sums))} | {sum(sums)} |"
    return "\n".join([_HEAD, *table, total, _REST, *(requirement.row for requirement in requirements()), ""])


_STATES = ("tested", "guarded", "not tested")
_HEAD = """# Conformance to CDS Hooks 2.0

Written by `python -m tests.conformance.page > docs/conformance.md`; a test keeps it true and complete.

The numbers are those of the requirement list of HL7's Inferno test kit for the CRD guide, as far as it binds a service.

- **tested**: every reply to the cases of `tests/conformance/recording.py` (all services of discovery, the demonstration
  patients, the dialect that differs most, faults, tokens) is held to it
- **guarded**: no reply holds such a thing today; the check stands for the first one that does
- **not tested**: with the reason

Behind each check stands the number of wrong replies (a null member, a summary of 140 characters, a handler that admits
an unsigned token …) that it is shown and must reject; every SHALL and SHALL NOT that is tested or guarded has at least
one.

| level | tested | guarded | not tested | all |
|---|---|---|---|---|"""
_REST = """
`cds_hooks_version = "3.0"` (docs/settings.md) adds what the later text recommends: each service of discovery then says
which version of CDS Hooks it speaks, and which of the hook, and the template of the laboratory reckons with dates
(`{{today() - 182 days}}`: older values do not count), which clients of 2.0 would send on unresolved. Errors are
OperationOutcomes in any case. `cds_hooks_max_results` puts `_maxresults` into the templates of what is sorted by date:
an answer that holds as many counts as partial, since a cut one looks like a whole one. It is a setting of its own, as
HAPI answers a parameter that it does not know with 400.

| | level | section | about | | by (wrong replies rejected), or why not |
|---|---|---|---|---|---|"""


if __name__ == "__main__":
    sys.stdout.write(document())
