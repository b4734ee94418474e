"""`python -m benchmarks [NAME...] [--json FILE]`: what the README's figures come from."""

import argparse
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks import emergency, explain, gather, hook, mapping, planted, restarts, soak
from benchmarks.row import Row

BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "hook": hook.run,
    "mapping": mapping.run,
    "explain": explain.run,
    "gather": gather.run,
    "planted": planted.run,
    "emergency": emergency.run,
    "soak": soak.run,
    "planted-few": planted.run_few,
    "planted-sizes": planted.run_sizes,
    "restarts": restarts.run,
}
UNASKED = ("hook", "mapping", "explain")  # the others take minutes, or a HAPI server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios against a floor of the same run.")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON too")
    arguments = parser.parse_args()
    rows = [row for name in arguments.names or UNASKED for row in BENCHMARKS[name]()]
    print(f"{'':58}{'ours':>10}{'floor':>10}{'ratio':>8}{'n':>5}{'spread':>8}")
    for row in rows:
        print(f"{row.name:58}{row.ours:>8} {row.unit}{row.floor:>8} {row.unit}{row.ratio:>8}{row.n:>5}{row.spread:>8}")
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows)))


if __name__ == "__main__":
    main()
