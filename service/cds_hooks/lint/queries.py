"""The query of a prefetch template, against the part of FHIR search that every client can be expected to know.

CDS Hooks 2.0, Prefetch Query Restrictions: reading by id, searching one type by references, tokens (`:in` too) and
dates, `_count` and `_sort`. 3.0 adds `_maxresults`.
"""

import re
from collections import Counter
from collections.abc import Iterator

from service.cds_hooks.lint.finding import Finding

_READ = re.compile(r"[A-Z][A-Za-z]+/[^/?&=\s]+")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?[^?]+")
_ABSOLUTE = re.compile(r"[a-z]+://|/", re.IGNORECASE)
_MOST = "_maxresults"
_CONTROL = frozenset({"_count", "_sort", _MOST, "_id", "_lastUpdated"})
_MODIFIER = "in"


def query_findings(query: str, path: str, *, later: bool) -> Iterator[Finding]:
    """`query` is a template whose tokens were replaced by plain values; `later`: its service speaks CDS Hooks 3.0."""
    if any(c.isspace() for c in query):
        yield Finding(path, "holds white space, which cannot stand in an address", "SHALL", "36")
    if _ABSOLUTE.match(query):
        told = "is relative to the client's FHIR server, so it begins with a type: Patient/…"
        yield Finding(path, told, "SHALL", "36")
    elif _SEARCH.fullmatch(query):
        yield from _of_search(query.partition("?")[2].split("&"), path, later=later)
    elif not _READ.fullmatch(query):
        told = "neither reads one resource (Type/id) nor searches one type (Type?…): few clients follow it"
        yield Finding(path, told, "SHOULD", "58")


def _of_search(parameters: list[str], path: str, *, later: bool) -> Iterator[Finding]:
    names = [parameter.partition("=")[0] for parameter in parameters]
    for parameter in parameters:
        if fault := _fault_of(*parameter.partition("=")):
            yield Finding(path, fault, "SHOULD", "58")
    if _MOST in names and not later:
        told = f"{_MOST} is of CDS Hooks 3.0, and servers that do not know it may refuse the search"
        yield Finding(path, told, "SHOULD", "58")
    for name in (name for name, number in Counter(names).items() if number > 1):
        told = f"{name} stands there more than once: some clients make one of them (or instead of and)"
        yield Finding(path, told, "advice", "58")


def _fault_of(name: str, equals: str, value: str) -> str:
    shown = name[:60]
    plain, colon, modifier = name.partition(":")
    if not equals or not plain or not value:
        return f"{shown or 'a parameter'} has no name or no value"
    if plain in {"_include", "_revinclude"}:
        return f"{shown}: clients need not bring along other types"
    if "." in name or plain == "_has":
        return f"{shown} is chained, which clients need not follow"
    if colon and modifier != _MODIFIER:
        return f"{shown}: of the modifiers clients need to know `:in` alone"
    if plain.startswith("_") and plain not in _CONTROL:
        return f"{shown} is none of the parameters that clients need to know"
    return ""
