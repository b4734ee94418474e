"""Units as written -> canonical units, by a compiled table (catalogue/units.csv); an unknown unit is never guessed.

Value in the spelling, times factor, plus offset, is the value in the parameter's canonical UCUM unit. Molar factors are
per parameter, because they hold its molar mass.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from fhir_mappings.concepts import DATA, shipped
from fhir_mappings.resources.datatypes import Quantity
from fhir_mappings.table_rows import number_in, numbered_rows, wrong
from models.features import Feature


class Conversion(msgspec.Struct, frozen=True):
    """canonical = value * factor + offset."""

    factor: float
    offset: float

    def __call__(self, value: float) -> float:
        return value * self.factor + self.offset


UCUM = "http://unitsofmeasure.org"

# What one unit may be written with and still be the same: both letters mu, a Greek and a Latin one, stand for the
# prefix u; superscripts for exponents; litre is l or L in UCUM itself. No other letter changes its case (mg is no MG).
_LETTERS = str.maketrans({"\u03bc": "u", "\u00b5": "u"})
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWER = re.compile(r"^[x×]?10(?:\*\*|[*^Ee])?([⁰¹²³⁴⁵⁶⁷⁸⁹]+|(?<=[*^Ee])\d+)")
_LITRE = re.compile(r"(?<![A-Za-z])([munpfdck]?)l(?![A-Za-z])")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_LONGEST = 60


@lru_cache(maxsize=4096)
def plain(spelling: str) -> str:
    """One way of writing a unit, for all that differ in nothing but blanks, letters mu, powers of ten and litre.

    "x 10^9 /l", "10E9/L" and "10⁹/L" are "10*9/L"; "µmol/l" is "umol/L". Longer than any unit: unchanged.
    """
    if len(spelling) > _LONGEST:
        return spelling
    text = "".join(_LITRE.sub(r"\1L", spelling.translate(_LETTERS)).split())
    return _DECIMAL_COMMA.sub(".", _POWER.sub(r"10*\1", text)).translate(_SUPERSCRIPTS)


class UnknownUnitError(ValueError):
    """No row of the table converts this spelling for this parameter. `code` is the issue code."""

    def __init__(self, code: str, spelling: str) -> None:
        super().__init__(spelling)
        self.code = code
        self.spelling = spelling


class Units:
    """All conversions of the catalogue, by canonical unit, scope (a parameter or "any") and spelling."""

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        self._table: dict[tuple[str, str, str], Conversion] = {
            (row["ucum"], row["scope"], plain(row["spelling"])): Conversion(float(row["factor"]), float(row["offset"]))
            for row in rows
            if row["scope"] != "none"
        }
        # a laboratory writes few units, and each many thousand times; bounded, because anybody may write any
        self._read = lru_cache(maxsize=4_096)(self._decide)

    def conversion(self, feature: Feature, spelling: str) -> Conversion | None:
        """The row for this parameter, else the one for any parameter with its unit."""
        return self._conversion(feature.unit, feature.key, spelling)

    def _conversion(self, unit: str, key: str, spelling: str) -> Conversion | None:
        written = plain(spelling)
        return self._table.get((unit, key, written)) or self._table.get((unit, "any", written))

    def of_quantity(self, feature: Feature, quantity: Quantity) -> tuple[Conversion, str]:
        """What turns the quantity's value into the canonical unit, and the spelling that says so: its code or its text.

        A text never overrules a UCUM code that the parameter does not have. Raises UnknownUnitError ("unit-missing",
        "unit-unknown", or "unit-conflict" where code and text differ).
        """
        return self._read(feature.unit, feature.key, quantity.code, quantity.unit, quantity.system == UCUM)

    def _decide(self, unit: str, key: str, code: str, text: str, is_ucum: bool) -> tuple[Conversion, str]:
        by_code = self._conversion(unit, key, code) if code else None
        by_text = self._conversion(unit, key, text) if text else None
        if by_code and by_text and by_code != by_text:
            raise UnknownUnitError("unit-conflict", _safe(f"{code} and {text}"))
        if by_code:
            return by_code, code
        if by_text and not (code and is_ucum):
            return by_text, text
        if code or text:
            raise UnknownUnitError("unit-unknown", _safe(code or text))
        unneeded = self._conversion(unit, key, "")  # counts, scores and ratios need no unit
        if unneeded is None:
            raise UnknownUnitError("unit-missing", "")
        return unneeded, ""


def _safe(spelling: str) -> str:
    """A unit as it may be shown: no letters beyond those of units, at most 40 of them."""
    return "".join(c for c in spelling[:40] if c.isalnum() or c in " %/*.{}[]()'^-+_µ°²³")


@cache
def units() -> Units:
    """The shipped table."""
    return read_units(DATA / "units.csv")


def read_units(path: Path) -> Units:
    """Raises CatalogueError naming the line of a row that could convert nothing."""
    scopes, rows = {"any", "none", *shipped().schema.keys}, []
    for line, row in numbered_rows(path):
        if row["scope"] not in scopes:
            raise wrong(path, line, f"scope: '{row['scope']}' is no parameter, nor any or none")
        if row["scope"] != "none":
            number_in(path, line, row, "factor")
            number_in(path, line, row, "offset")
        rows.append(row)
    return Units(rows)
