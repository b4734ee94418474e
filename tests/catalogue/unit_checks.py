"""Checks of typed/units.txt: a value in a spelling is the typed one in the parameter's unit; some are unknown."""

from collections.abc import Callable, Mapping
from functools import partial

from fhir_mappings.concepts import catalogue
from fhir_mappings.resources.datatypes import Quantity
from fhir_mappings.units import UCUM, UnknownUnitError, plain, units
from tests.catalogue.check import Check, differs, lines


def unit_checks() -> list[Check]:
    found = []
    for head, rest in lines("units.txt"):
        key, *words = head.split()
        for spelling in ("" if word.strip() == "-" else word.strip() for word in rest.split(" | ")):
            about = frozenset({key, f"unit {plain(spelling)}"})
            if words == ["unknown"]:
                found.append(Check(f"{key}: {spelling} is unknown", about, partial(_is_known, key, spelling)))
                continue
            value, _, canonical = words
            wrong = partial(_misread, key, float(value), spelling, float(canonical))
            found.append(Check(f"{key}: {value} {spelling} is {canonical}", about, wrong))
    return found


def _converted(key: str, value: float, spelling: str, as_code: bool) -> float | str:
    written = {"code": spelling, "system": UCUM} if as_code else {"unit": spelling}
    try:
        conversion, _ = units().of_quantity(catalogue().schema[key], Quantity(value=value, **written))
    except UnknownUnitError as error:
        return error.code
    return conversion(value)


def _misread(key: str, value: float, spelling: str, canonical: float) -> str | None:
    for as_code in (True, False):
        found = _converted(key, value, spelling, as_code)
        wrong = found if isinstance(found, str) else differs(found, canonical)
        if wrong:
            return wrong
    return None


def _is_known(key: str, spelling: str) -> str | None:
    found = [_converted(key, 1.0, spelling, as_code) for as_code in (True, False)]
    return None if all(isinstance(each, str) for each in found) else f"is read as {found}"


def typed_spellings() -> Callable[[Mapping[str, str]], bool]:
    """Whether a row of units.csv has a typed pair: its spelling, for a parameter with its unit and scope."""
    schema = catalogue().schema
    known: set[tuple[str, str, str]] = set()
    for head, rest in lines("units.txt"):
        key, *words = head.split()
        if words != ["unknown"]:
            spellings = (plain("" if word.strip() == "-" else word) for word in rest.split(" | "))
            known |= {(schema[key].unit, scope, spelling) for spelling in spellings for scope in (key, "any")}
    return lambda row: (row["ucum"], row["scope"], plain(row["spelling"])) in known
