"""The provenance of a record as text for a terminal: values by modality, empty parameters, resources, issues."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.finding import Issue
from fhir_mappings.issue_words import in_words
from fhir_mappings.provenance import Original, Provenance, Slot
from fhir_mappings.resource_use import ResourceUse
from models.features import MODALITIES
from service.commands.table import Column, paragraph, table
from service.wording import number, value_text

_KEY = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
_KEYS = re.compile(r"(?<![^ ])(?:(?:part/)?[a-z0-9/]+(?:_[a-z0-9]+)+(?:, |: ))+")  # "lab_sodium, lab_chloride: "
_UUID = re.compile(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")  # its beginning tells it
_FEW = 3
_SEVERITIES = ("error", "warning", "information")
_VALUES = (
    Column("Parameter", wraps=True),
    Column("Value", wraps=True),
    Column("When"),
    Column("From", wraps=True),
    Column("How", wraps=True),
)


class StrictRow(msgspec.Struct, frozen=True):
    """One objection of fhir.resources to one resource."""

    source: str
    path: str
    text: str


def as_text(
    explained: Provenance, width: int, strict: Sequence[StrictRow] | None = None, *, show_all: bool = False
) -> str:
    """All of it, at most `width` columns wide where no single word is wider."""
    schema = catalogue().schema
    used = sum(1 for row in explained.resources if row.used)
    lines = [
        f"{explained.patient}, as of {explained.at}",
        f"{_observed(explained)} of {_one_entity(len(schema))} parameters have a value; the cancer type counts as one.",
        f"{used} of {len(explained.resources)} resources of the file were used.",
        "A value behind an arrow is as the record has it, before conversion.",
        *_values(explained.parameters, width),
        *_empty(explained, width),
        *_resources(explained.resources, width, show_all=show_all),
        *_issues(explained.issues, width),
    ]
    if strict is not None:
        lines += _strict(strict, width)
    return "\n".join(lines)


def _observed(explained: Provenance) -> int:
    """Parameters with a value; of the cancer types the patient's own."""
    schema = catalogue().schema
    return sum(1 for slot in explained.parameters if slot.value == 1 or not schema[slot.feature].is_entity)


def _one_entity(parameters: int) -> int:
    return parameters - len(catalogue().schema.entities) + 1


def _values(slots: Iterable[Slot], width: int) -> Iterator[str]:
    schema = catalogue().schema
    slots = list(slots)
    for modality in MODALITIES:
        total = sum(1 for feature in schema.features if feature.modality == modality)
        here = [slot for slot in slots if schema[slot.feature].modality == modality]
        if not here:
            continue
        yield from ["", f"{modality.upper()}  {len(here)} of {total}"]
        together = _absences(here)
        several = {slot.feature for group in together for slot in group}
        yield from table(_VALUES, [_row(slot) for slot in here if slot.feature not in several], width)
        for group in together:
            yield from _absent(group, width)


def _absences(slots: Iterable[Slot]) -> list[list[Slot]]:
    """Zeros that one rule gives from the same sources, where there are several: they read better as one line."""
    groups: dict[tuple[str, tuple[str, ...]], list[Slot]] = {}
    for slot in slots:
        if slot.value == 0 and catalogue().schema[slot.feature].kind in {"binary", "onehot"}:
            groups.setdefault((slot.rule, slot.sources), []).append(slot)
    return [group for group in groups.values() if len(group) >= _FEW]


def _absent(group: Sequence[Slot], width: int) -> list[str]:
    first = group[0]
    if catalogue().schema[first.feature].is_entity:
        return paragraph(f"No for the other {len(group)} cancer types (the tumour {_labelled(first.rule)}).", width)
    names = "; ".join(catalogue().schema[slot.feature].label_en for slot in group)
    return paragraph(f"No ({len(group)}), {_labelled(first.rule)}; from {_few(first.sources)}: {names}", width)


def _row(slot: Slot) -> tuple[str, ...]:
    feature = catalogue().schema[slot.feature]
    value = value_text(feature, slot.value) or ("yes" if slot.value == 1 else "no")
    if slot.original is not None and _differs(slot.original, slot):
        value = f"{value} ← {number(slot.original.value)} {slot.original.unit}".rstrip()
    how = f"{slot.rule} ({', '.join(slot.flags)})" if slot.flags else slot.rule
    return (
        feature.label_en,
        value,
        slot.effective[:10],
        _few(slot.sources),
        _labelled(how).replace("_", " "),
    )


def _differs(original: Original, slot: Slot) -> bool:
    return original.value != slot.value or original.unit not in {"", slot.unit}


def _few(names: Sequence[str], most: int = 1) -> str:
    more = f" +{len(names) - most}" if len(names) > most else ""
    return "; ".join(_UUID.sub(r"\1…", name) for name in names[:most]) + more


def _labelled(text: str) -> str:
    """Parameter keys by their labels."""
    schema = catalogue().schema
    return _KEY.sub(lambda match: schema[match[0]].label_en if match[0] in schema.index else match[0], text)


def _empty(explained: Provenance, width: int) -> Iterator[str]:
    if not explained.empty:
        return
    yield from ["", f"EMPTY  {len(explained.empty)}, by reason"]
    by_reason: dict[str, list[str]] = {}
    for slot in explained.empty:
        feature = catalogue().schema[slot.feature]
        by_reason.setdefault(slot.reason, []).append(
            "any of the cancer types" if feature.is_entity else feature.label_en
        )
    for reason, labels in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        yield from paragraph(f"{_labelled(reason)} ({len(labels)}): {'; '.join(dict.fromkeys(labels))}", width, "- ")


def _resources(rows: Sequence[ResourceUse], width: int, *, show_all: bool) -> Iterator[str]:
    used = [row for row in rows if row.used]
    yield from ["", f"RESOURCES  {len(used)} of {len(rows)} used"]
    if show_all:
        told = [(row.source, _labelled(", ".join(row.used) or f"not used: {row.reason}")) for row in rows]
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
        (str(len(named)), _labelled(why), _few([_labelled(key) for key, _ in about[why].most_common()], 2), _few(named))
        for why, named in ranked
    ]


def _known_keys(reason: str) -> list[str]:
    return [key for named in _KEYS.findall(reason) for key in _KEY.findall(named) if key in catalogue().schema.index]


def _issues(issues: Sequence[Issue], width: int) -> Iterator[str]:
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
            _few(list(dict.fromkeys(_about(issue) for issue in found)), _FEW),
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
    return _labelled(key if key in catalogue().schema.index else issue.diagnostics)


def _strict(rows: Sequence[StrictRow], width: int) -> Iterator[str]:
    yield from ["", f"FHIR.RESOURCES (R4B)  {len(rows)} objections"]
    columns = (Column("Resource", wraps=True), Column("Element", wraps=True), Column("Objection", wraps=True))
    if rows:
        yield from table(columns, [(row.source, row.path, row.text) for row in rows], width)
