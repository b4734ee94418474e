"""A FHIR ConceptMap (R4 or R5) of a site -> rows of its table of codes.

Only what is equal or equivalent is taken: a code that is wider or narrower than its target means something else.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from fhir_mappings.concepts import OWN, shipped
from fhir_mappings.site_rows import SiteRow
from fhir_mappings.table_rows import CatalogueError

_SAME = frozenset({"equal", "equivalent"})


class _Target(msgspec.Struct, frozen=True):
    code: str = ""
    equivalence: str = ""  # R4
    relationship: str = ""  # R5
    dependsOn: list[msgspec.Raw] = []  # noqa: N815 - FHIR's name
    product: list[msgspec.Raw] = []


class _Element(msgspec.Struct, frozen=True):
    code: str = ""
    target: list[_Target] = []
    noMap: bool = False  # noqa: N815 - FHIR's name
    valueSet: str = ""  # noqa: N815 - FHIR's name


class _Group(msgspec.Struct, frozen=True):
    source: str = ""
    target: str = ""
    element: list[_Element] = []
    unmapped: msgspec.Raw | None = None


class _ConceptMap(msgspec.Struct, frozen=True):
    resourceType: str = ""  # noqa: N815 - FHIR's name
    status: str = ""
    group: list[_Group] = []


def rows_of_concept_map(path: Path, problems: list[str]) -> Iterator[SiteRow]:
    """Its rows; what cannot be taken is added to `problems`. Raises CatalogueError where it is no ConceptMap."""
    try:
        read = msgspec.json.decode(path.read_bytes(), type=_ConceptMap)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogueError(f"{path.name}: no ConceptMap: {error}") from error
    if read.resourceType != "ConceptMap":
        raise CatalogueError(f"{path.name}: is no ConceptMap")
    if read.status == "retired":
        raise CatalogueError(f"{path.name}: status: it is retired")
    for number, group in enumerate(read.group, 1):
        place = f"{path.name}: group {number}"
        if group.unmapped is not None:
            problems.append(f"{place}: unmapped: what is not listed stays unknown; leave it out")
        for position, element in enumerate(group.element, 1):
            yield from _rows(f"{place}, element {position}", group, element, problems)


def _rows(place: str, group: _Group, element: _Element, problems: list[str]) -> Iterator[SiteRow]:
    if element.valueSet:
        problems.append(f"{place}: valueSet: is not read; name its codes")
    for target in element.target if not element.noMap else ():
        said = target.equivalence or target.relationship
        if said not in _SAME:
            told = (
                f"'{said}' is not taken, only equal and equivalent" if said else "how the codes are related is needed"
            )
            problems.append(f"{place}: {element.code}: {told}")
        elif target.dependsOn or target.product:
            problems.append(f"{place}: {element.code}: dependsOn, product: conditions are not read")
        else:
            system = group.source.partition("|")[0]  # a canonical address may name its version
            yield SiteRow(place, system, element.code, _named(group.target.partition("|")[0], target.code))


def _named(system: str, code: str) -> str:
    """A parameter by its key, everything else by system and code."""
    is_parameter = system == OWN and code in shipped().schema.index and not shipped().lookup(system, code)
    return code if is_parameter else f"{system}|{code}"
