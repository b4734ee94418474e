"""The catalogue as rows that people and machines may read: every column of features.csv, its codes, its formula."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from fhir_mappings.concepts import BY_SITE, DATA, Catalogue, catalogue
from fhir_mappings.formula_texts import FormulaText, formula_texts

VERIFICATIONS = ("verified", "sure", "recalled")
_NUMBERS = frozenset({"low", "high", "window_days", "window_days_emergency", "training_patients", "positives"})

Cell = str | float | int | None


class Code(msgspec.Struct, frozen=True):
    """One row of the concept map. A meaning of `category` stands for the code and all below it."""

    system: str
    code: str
    meaning: str
    display: str
    verification: str
    source: str


class ParameterRow(msgspec.Struct, frozen=True):
    """`columns` are those of features.csv in their order, numbers as numbers, None where a number is blank."""

    columns: Mapping[str, Cell]
    codes: Sequence[Code]
    formula: FormulaText | None

    @property
    def key(self) -> str:
        return str(self.columns["key"])

    def by_verification(self) -> dict[str, int]:
        """How many codes are known how well; those of a site are told where there are any."""
        counts = Counter(code.verification for code in self.codes)
        of_site = {BY_SITE: counts[BY_SITE]} if counts[BY_SITE] else {}
        return {verification: counts[verification] for verification in VERIFICATIONS} | of_site


def parameter_rows() -> tuple[ParameterRow, ...]:
    """All parameters in the catalogue's order."""
    return _parameter_rows(catalogue())


@cache
def _parameter_rows(source: Catalogue) -> tuple[ParameterRow, ...]:
    codes: dict[str, list[Code]] = {}
    for row in source.rows:
        code = Code(row["system"], row["code"], row["meaning"], row["display"], row["verification"], row["source"])
        codes.setdefault(row["key"], []).append(code)
    with (DATA / "features.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            ParameterRow(
                {name: _cell(name, text) for name, text in row.items()},
                codes.get(row["key"], ()),
                formula_texts().get(row["key"]),
            )
            for row in csv.DictReader(file)
        )


def _cell(name: str, text: str) -> Cell:
    if name not in _NUMBERS:
        return text
    if not text:
        return None
    number = float(text)
    return int(number) if number.is_integer() else number
