"""Resources, issues and the objections of fhir.resources as tables for a terminal."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.finding import Issue
from fhir_mappings.issue_words import in_words
from fhir_mappings.resource_use import ResourceUse
from service.commands.labels import KEY, few, labelled
from service.commands.table import Column, paragraph, table

_KEYS = re.compile(r"(?<![^ ])(?:(?:part/)?[a-z0-9/]+(?:_[a-z0-9]+)+(?:, |: ))+")  # "lab_sodium, lab_chloride: "
_FEW = 3
_SEVERITIES = ("error", "warning", "information")


class StrictRow(msgspec.Struct, frozen=True):
    """One objection of fhir.resources to one resource."""

    source: str
    path: str
    text: str


def resource_lines(rows: Sequence[ResourceUse], width: int, *, show_all: bool) -> Iterator[str]:
    used = [row for row in rows if row.used]
    yield from ["", f"RESOURCES  {len(used)} of {len(rows)} used"]
    if show_all:
        told = [(row.source, labelled(", ".join(row.used) or f"not used: {row.reason}")) for row in rows]
        yield from table((Column("Resource", wraps=True), Column("Used for", wraps=True)), told, width)
        return
    kinds = Counter(row.source.partition("/")[0] for row in used)
    if kinds:
        yield from paragraph("Used: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())), width)
    unused = _unused(rows)
    if unused:
        columns = (
            Column("Not used", right=True),
            Column("Why", wraps=True),
            Column("About", wraps=True),
            Column("Which", wraps=True),
        )
        yield from table(columns, unused, width)


def _unused(rows: Sequence[ResourceUse]) -> list[tuple[str, ...]]:
    """Why, without the parameters that it is about, so that many resources make few lines."""
    sources: dict[str, list[str]] = {}
    about: dict[str, Counter[str]] = {}
    for row in rows:
        if row.reason:
            why = _KEYS.sub("", row.reason)
            sources.setdefault(why, []).append(row.source)
            about.setdefault(why, Counter()).update(_known_keys(row.reason))
    ranked = sorted(sources.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        (str(len(named)), labelled(why), few([labelled(key) for key, _ in about[why].most_common()], 2), few(named))
        for why, named in ranked
    ]


def _known_keys(reason: str) -> list[str]:
    return [key for named in _KEYS.findall(reason) for key in KEY.findall(named) if key in catalogue().schema.index]


def issue_lines(issues: Sequence[Issue], width: int) -> Iterator[str]:
    if not issues:
        return
    yield from ["", f"ISSUES  {len(issues)}, by code (docs/mapping-issues.md says what can be done)"]
    by_code: dict[tuple[str, str], list[Issue]] = {}
    for issue in issues:
        by_code.setdefault((issue.severity, issue.code), []).append(issue)
    rows = [
        (
            severity,
            str(len(found)),
            code,
            in_words(code),
            few(list(dict.fromkeys(_about(issue) for issue in found)), _FEW),
        )
        for (severity, code), found in sorted(
            by_code.items(), key=lambda item: (_SEVERITIES.index(item[0][0]), -len(item[1]), item[0][1])
        )
    ]
    columns = (
        Column("Severity"),
        Column("Count", right=True),
        Column("Code"),
        Column("Meaning", wraps=True),
        Column("About", wraps=True),
    )
    yield from table(columns, rows, width)


def _about(issue: Issue) -> str:
    """The parameter where the diagnostics begin with one, else the diagnostics."""
    key = issue.diagnostics.partition(":")[0]
    return labelled(key if key in catalogue().schema.index else issue.diagnostics)


def strict_lines(rows: Sequence[StrictRow], width: int) -> Iterator[str]:
    yield from ["", f"FHIR.RESOURCES (R4B)  {len(rows)} objections"]
    columns = (Column("Resource", wraps=True), Column("Element", wraps=True), Column("Objection", wraps=True))
    if rows:
        yield from table(columns, [(row.source, row.path, row.text) for row in rows], width)
