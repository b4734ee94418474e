"""The provenance of a record as text for a terminal: values by modality, empty parameters, resources, issues."""

from collections.abc import Iterable, Iterator, Sequence

from fhir_mappings.concepts import catalogue
from fhir_mappings.provenance import Original, Provenance, Slot
from models.features import MODALITIES
from service.commands.labels import few, labelled
from service.commands.resource_text import StrictRow, issue_lines, resource_lines, strict_lines
from service.commands.table import Column, paragraph, table
from service.wording import number, value_text

_FEW = 3
_VALUES = (
    Column("Parameter", wraps=True),
    Column("Value", wraps=True),
    Column("When"),
    Column("From", wraps=True),
    Column("How", wraps=True),
)


def as_text(
    explained: Provenance, width: int, strict: Sequence[StrictRow] | None = None, *, show_all: bool = False
) -> str:
    """All of it, at most `width` columns wide where no single word is wider."""
    schema = catalogue().schema
    observed = _observed(explained.parameters)
    used = sum(1 for row in explained.resources if row.used)
    entities_as_one = len(schema) - len(schema.entities) + 1
    lines = [
        f"{explained.patient}, as of {explained.at}",
        *([f"With the windows of an emergency since {explained.arrival}."] if explained.arrival else []),
        f"{observed} of {entities_as_one} parameters have a value; the cancer type counts as one.",
        f"{used} of {len(explained.resources)} resources of the file were used.",
        "A value behind an arrow is as the record has it, before conversion.",
        *_values(explained.parameters, width),
        *_empty(explained, width),
        *resource_lines(explained.resources, width, show_all=show_all),
        *issue_lines(explained.issues, width),
    ]
    if strict is not None:
        lines += strict_lines(strict, width)
    return "\n".join(lines)


def _observed(slots: Iterable[Slot]) -> int:
    """Parameters with a value; of the cancer types the patient's own."""
    schema = catalogue().schema
    return sum(1 for slot in slots if slot.value == 1 or not schema[slot.feature].is_entity)


def _values(slots: Iterable[Slot], width: int) -> Iterator[str]:
    schema = catalogue().schema
    slots = list(slots)
    for modality in MODALITIES:
        own = {"entity" if f.is_entity else f.key for f in schema.features if f.modality == modality}
        here = [slot for slot in slots if schema[slot.feature].modality == modality]
        if not here:
            continue
        yield from ["", f"{modality.upper()}  {_observed(here)} of {len(own)}"]
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
        return paragraph(f"No for the other {len(group)} cancer types (the tumour {labelled(first.rule)}).", width)
    names = "; ".join(catalogue().schema[slot.feature].label_en for slot in group)
    return paragraph(f"No ({len(group)}), {labelled(first.rule)}; from {few(first.sources)}: {names}", width)


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
        few(slot.sources),
        labelled(how).replace("_", " "),
    )


def _differs(original: Original, slot: Slot) -> bool:
    return original.value != slot.value or original.unit not in {"", slot.unit}


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
        yield from paragraph(f"{labelled(reason)} ({len(labels)}): {'; '.join(dict.fromkeys(labels))}", width, "- ")
