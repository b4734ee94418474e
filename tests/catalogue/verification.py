"""How well the codes of each parameter are known: `python -m tests.catalogue.verification` prints the counts."""

import sys
from collections import Counter

from models.features import MODALITIES
from tests.mutation.mutants import table

# The best that is known of any of its codes; a parameter without a code is computed from others.
KINDS = ("verified", "sure", "recalled", "computed")


def best_verification() -> dict[str, str]:
    """Per parameter the best verification among its codes that state something (exclusions state nothing)."""
    found = {row["key"]: "computed" for row in table("features.csv")}
    for row in table("concept_map.csv"):
        if row["meaning"] != "ignored" and KINDS.index(row["verification"]) < KINDS.index(found[row["key"]]):
            found[row["key"]] = row["verification"]
    return found


def report() -> str:
    """A table by modality, and one line on single codes."""
    best = best_verification()
    modality = {row["key"]: row["modality"] for row in table("features.csv")}
    counted = Counter((modality[key], kind) for key, kind in best.items())
    lines = [f"{'parameters':14}" + "".join(f"{kind:>10}" for kind in KINDS) + f"{'all':>8}"]
    for name in MODALITIES:
        cells = [counted[name, kind] for kind in KINDS]
        lines.append(f"{name:14}" + "".join(f"{cell:10}" for cell in cells) + f"{sum(cells):8}")
    totals = [sum(counted[name, kind] for name in MODALITIES) for kind in KINDS]
    lines.append(f"{'all':14}" + "".join(f"{total:10}" for total in totals) + f"{sum(totals):8}")
    codes = Counter(row["verification"] for row in table("concept_map.csv"))
    return "\n".join([*lines, "codes: " + ", ".join(f"{codes[kind]:,} {kind}" for kind in KINDS[:3])])


if __name__ == "__main__":
    sys.stdout.write(report() + "\n")
