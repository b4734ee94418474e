"""FHIR resources in memory and the searches that the embedded endpoint answers from them. Read-only."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from demo.loading import loose
from demo.search_parameters import INCLUDES, PARAMETERS, Interval, Resource, dates, interval, patient_ids, tokens

# What an answer looks like rather than what is in it; `_format` and `_pretty` have no effect here.
CONTROLS = frozenset({"_count", "_total", "_format", "_pretty"})

# HAPI answers `patient=` with everyone's data and `patient=A,B` with both: here a client's slip is an error.
_ONE_PATIENT = re.compile(r"(?:Patient/)?([A-Za-z0-9\-.]{1,64})")
_DATE = re.compile(r"(eq|ne|gt|lt|ge|le)?(\d.*)")


class RefusedSearchError(ValueError):
    """A search that is not answered (HTTP 400). The message says what it asked that is not known here."""


class Row(msgspec.Struct, frozen=True):
    """One resource as it is sent, with what searches look for in it. `references` is what each `_include` follows."""

    kind: str
    id: str
    body: msgspec.Raw
    tokens: Mapping[str, frozenset[str]]
    dates: Mapping[str, tuple[Interval, ...]]
    references: Mapping[str, str]


_Test = Callable[[Row], bool]


class Store:
    """Resources by type and id, and by patient. Of two with the same type and id the later counts."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        known = {(resource["resourceType"], resource["id"]): resource for resource in loose(resources)}
        self._rows: dict[str, dict[str, Row]] = defaultdict(dict)
        self._of_patient: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for (kind, name), resource in known.items():
            row = _row(kind, resource)
            self._rows[kind][name] = row
            for patient in patient_ids(resource):
                self._of_patient[kind, patient].append(row)

    def read(self, kind: str, name: str) -> Row | None:
        return self._rows.get(kind, {}).get(name)

    def search(self, kind: str, criteria: Sequence[tuple[str, str]]) -> list[Row]:
        """The rows that meet every criterion, in the order asked for, else in the order of loading.

        Raises RefusedSearchError for a parameter, or a value of one, that this type does not know.
        """
        known = PARAMETERS[kind]
        patients: set[str] = set()
        tests: list[_Test] = []
        orders: list[str] = []
        for name, value in criteria:
            if name in known and known[name].kind == "patient":
                patients.add(_patient(name, value))
            elif name == "_sort":
                orders += value.split(",")
            elif name == "_include":
                if value not in INCLUDES:
                    raise RefusedSearchError(f"unknown _include; known: {', '.join(INCLUDES)}")
            elif name not in CONTROLS:
                tests.append(_test(kind, name, value))
        if len(patients) > 1:
            raise RefusedSearchError("more than one patient")
        rows: Iterable[Row] = self._rows.get(kind, {}).values()
        for patient in patients:
            rows = self._of_patient.get((kind, patient), ())
        found = [row for row in rows if all(test(row) for test in tests)]
        for order in reversed(orders):
            found = _sorted(kind, found, order)
        return found

    def included(self, rows: Iterable[Row], criteria: Sequence[tuple[str, str]]) -> list[Row]:
        """What the rows of a page refer to, as far as `_include` asks for it and it is here, each once."""
        wanted = [value for name, value in criteria if name == "_include"]
        addresses = dict.fromkeys(row.references[name] for row in rows for name in wanted if name in row.references)
        found = (self.read(*address.split("/", 1)) for address in addresses if "/" in address)
        return [row for row in found if row is not None]


def _row(kind: str, resource: Resource) -> Row:
    parameters = PARAMETERS.get(kind, {})
    return Row(
        kind=kind,
        id=resource["id"],
        body=msgspec.Raw(msgspec.json.encode(resource)),
        tokens={name: tokens(resource, p) for name, p in parameters.items() if p.kind == "token"},
        dates={name: dates(resource, p) for name, p in parameters.items() if p.kind == "date"},
        references={
            name: resource[member]["reference"]
            for name, member in INCLUDES.items()
            if name.startswith(f"{kind}:") and "reference" in resource.get(member, {})
        },
    )


def _patient(name: str, value: str) -> str:
    match = _ONE_PATIENT.fullmatch(value)
    if match is None:
        raise RefusedSearchError(f"{name}: not the id of one patient of this server")
    return match[1]


def _test(kind: str, name: str, value: str) -> _Test:
    """One criterion: its values stand side by side, between commas; a repeated parameter is one more criterion."""
    if name == "_id":
        ids = frozenset(value.split(","))
        return lambda row: row.id in ids
    parameter = PARAMETERS[kind].get(name)
    if parameter is None:
        allowed = ", ".join(sorted(["_id", "_include", "_sort", *CONTROLS, *PARAMETERS[kind]]))
        raise RefusedSearchError(f'unknown search parameter "{name}" for {kind}; known: {allowed}')
    if not all(value.split(",")):
        raise RefusedSearchError(f"{name}: an empty value")
    if parameter.kind == "token":
        wanted = frozenset(value.split(","))
        return lambda row: not wanted.isdisjoint(row.tokens[name])
    alternatives = [_within(name, one) for one in value.split(",")]
    return lambda row: any(meets(time) for meets in alternatives for time in row.dates[name])


def _within(name: str, value: str) -> Callable[[Interval], bool]:
    """What a prefix asks of the time of a resource (FHIR R4, 3.1.1.5.4)."""
    match = _DATE.fullmatch(value)
    try:
        asked = interval(match[2]) if match else None
    except ValueError:
        asked = None
    if match is None or asked is None:
        raise RefusedSearchError(f"{name}: no date, or a prefix that is not known here")

    def contained(time: Interval) -> bool:
        return asked.start <= time.start and time.end <= asked.end

    comparisons: dict[str, Callable[[Interval], bool]] = {
        "eq": contained,
        "ne": lambda time: not contained(time),
        "gt": lambda time: time.end > asked.end,
        "lt": lambda time: time.start < asked.start,
        "ge": lambda time: time.end > asked.end or contained(time),
        "le": lambda time: time.start < asked.start or contained(time),
    }
    return comparisons[match[1] or "eq"]


def _sorted(kind: str, rows: list[Row], order: str) -> list[Row]:
    """Rows in order of a date or of their ids; those without a date come last either way."""
    name, descending = order.removeprefix("-"), order.startswith("-")
    if name == "_id":
        return sorted(rows, key=lambda row: row.id, reverse=descending)
    parameter = PARAMETERS[kind].get(name)
    if parameter is None or parameter.kind != "date":
        raise RefusedSearchError(f'unknown _sort "{name}" for {kind}')
    dated = [row for row in rows if row.dates[name]]

    def start(row: Row) -> datetime:
        return row.dates[name][0].start

    return [*sorted(dated, key=start, reverse=descending), *(row for row in rows if not row.dates[name])]
