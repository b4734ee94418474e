"""SMART scopes of a system client: what is asked for, and what a grant covers (SMART App Launch 2.2, FHIR Scopes).

Version 1 writes `system/Observation.read`, version 2 `system/Observation.rs`: r to read by id, s to search.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from fhir_mappings.resources.r4 import Patient
from fhir_mappings.retrieval import Query

Style = Literal["v1", "v2"]
Cover = Literal["all", "part", "none"]

_SCOPE = re.compile(r"system/(?P<kind>\*|[A-Za-z]+)\.(?P<rights>read|write|\*|c?r?u?d?s?)(?P<part>\?.*)?")
_V1_RIGHTS = {"read": "rs", "write": "cud", "*": "cruds"}
_INCLUDED = {"medication": "Medication"}  # what an `_include` brings along, by the element that refers to it


def searched_types(queries: Sequence[Query]) -> tuple[str, ...]:
    """The types that the service reads, those it cannot do without first."""
    kinds = [query.type for query in queries]
    kinds += [_INCLUDED[query.include.partition(":")[2]] for query in queries if query.include]
    return tuple(dict.fromkeys(kinds))


def style_of(supported: Iterable[str], capabilities: Iterable[str] = ()) -> Style:
    """Version 1 where a server's smart-configuration shows that and not version 2."""
    rights = {match["rights"] for scope in supported if (match := _SCOPE.fullmatch(scope))}
    if rights - _V1_RIGHTS.keys():
        return "v2"
    if rights & {"read", "*"}:
        return "v1"
    able = set(capabilities)
    return "v1" if "permission-v1" in able and "permission-v2" not in able else "v2"


def asked(style: Style, kinds: Sequence[str]) -> str:
    """The scopes that let the service read what it searches, and nothing else."""
    return " ".join(f"system/{kind}.{'read' if style == 'v1' else 'rs'}" for kind in kinds)


def cover_of(granted: str, kind: str) -> Cover:
    """How much of a type the granted scopes cover.

    A scope with a query (`system/Observation.rs?category=...`) covers a part: what it leaves out looks as if it were
    not there.
    """
    needed = "r" if kind == Patient.__name__ else "s"
    found: Cover = "none"
    for scope in granted.split():
        match = _SCOPE.fullmatch(scope)
        if match and match["kind"] in {"*", kind} and needed in _V1_RIGHTS.get(match["rights"], match["rights"]):
            if not match["part"]:
                return "all"
            found = "part"
    return found
