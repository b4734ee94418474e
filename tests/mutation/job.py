"""Runs the typed checks of tests/catalogue against each mutant; the first check that is wrong kills it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.catalogue.check import Check
from tests.mutation.mutants import Mutant, write
from tests.mutation.served import served

EXPLAINED = Path(__file__).parent / "survivors.txt"


class Outcome(msgspec.Struct, frozen=True):
    """`killer` is the check that noticed, None for a survivor; `reason` why a survivor may live."""

    mutant: Mutant
    killer: Check | None = None
    error: str = ""
    reason: str = ""

    @property
    def lives(self) -> bool:
        return self.killer is None and not self.error


def outcomes(mutants: Iterable[Mutant], checks: list[Check]) -> Iterator[Outcome]:
    """One outcome a mutant. A catalogue that cannot be read any more is noticed too (`error`)."""
    explained = dict(explanations())
    for mutant in mutants:
        with TemporaryDirectory() as name:
            write(mutant, Path(name))
            with served(Path(name), mutant.table):
                outcome = _outcome(mutant, checks)
        yield msgspec.structs.replace(outcome, reason=explained.get(str(mutant), "")) if outcome.lives else outcome


def _outcome(mutant: Mutant, checks: list[Check]) -> Outcome:
    try:
        killer = next((check for check in _nearest_first(mutant, checks) if check.wrong()), None)
    except (ValueError, KeyError) as error:
        return Outcome(mutant, error=type(error).__name__)
    return Outcome(mutant, killer)


def _nearest_first(mutant: Mutant, checks: list[Check]) -> list[Check]:
    """Those about the same parameter, code or unit first, what readers do before what a cell says; then all others."""
    return sorted(checks, key=lambda check: (-len(check.about & mutant.about), check.by_value))


def explanations() -> Iterator[tuple[str, str]]:
    """Survivor and reason of each line of survivors.txt."""
    for line in EXPLAINED.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            mutant, _, reason = line.partition(" -- ")
            yield mutant.strip(), reason.strip()
