"""Formula and source of the computed parameters, as people read them: the one place where they are written out.

What is computed is in `formulas.py`, `derive.py` and the readers; a test holds every computed parameter to a row here.
"""

import csv
from collections.abc import Mapping
from functools import cache

import msgspec

from fhir_mappings.concepts import DATA


class FormulaText(msgspec.Struct, frozen=True):
    formula: str
    source: str


@cache
def formula_texts() -> Mapping[str, FormulaText]:
    """By parameter key, from catalogue/formulas.csv."""
    with (DATA / "formulas.csv").open(newline="", encoding="utf-8") as file:
        return {row["key"]: FormulaText(row["formula"], row["source"]) for row in csv.DictReader(file)}
