"""`python -m tests.mutation`: change the catalogue, one cell at a time, and see that a typed check notices each.

Exit code 1 where a mutant lives that survivors.txt does not explain.
"""

import argparse
import sys
import time
from collections import Counter

from tests.catalogue.all_checks import all_checks
from tests.mutation.job import Outcome, outcomes
from tests.mutation.mutants import CODES, SEED, mutants


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--codes", type=int, default=CODES, help="how many codes to change (default %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="which codes, and to what (default %(default)s)")
    parser.add_argument("--only", default="", metavar="WORD", help="only operators whose name holds this word")
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    done = list(outcomes((m for m in mutants(chosen.codes, chosen.seed) if chosen.only in m.operator), all_checks()))
    sys.stdout.write(f"{report(done)}\n{len(done)} mutants, {time.monotonic() - started:.0f} s\n")
    return int(any(outcome.lives and not outcome.reason for outcome in done))


def report(done: list[Outcome]) -> str:
    """A table by operator, then each survivor with its reason."""
    rows = [f"{'operator':26}{'mutants':>9}{'killed':>9}{'by value':>9}{'lives':>9}{'explained':>11}"]
    for operator in dict.fromkeys(outcome.mutant.operator for outcome in done):
        counted = Counter(kind for outcome in done if outcome.mutant.operator == operator for kind in _kinds(outcome))
        cells = (counted["all"], counted["killed"], counted["by value"], counted["lives"])
        rows.append(f"{operator:26}" + "".join(f"{cell:9}" for cell in cells) + f"{counted['explained']:11}")
    rows += [f"lives  {outcome.mutant}  {outcome.reason or 'NOT EXPLAINED'}" for outcome in done if outcome.lives]
    return "\n".join(rows)


def _kinds(outcome: Outcome) -> list[str]:
    kinds = ["all", "lives" if outcome.lives else "killed"]
    if outcome.killer is not None and outcome.killer.by_value:
        kinds.append("by value")
    return [*kinds, "explained"] if outcome.lives and outcome.reason else kinds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
