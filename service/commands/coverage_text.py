"""What is found in the records of many patients, as text for a terminal and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import TypeVar

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.coverage import Found, IssueKind, UnitProblem, UnknownCode
from fhir_mappings.issue_words import in_words
from models.features import MODALITIES
from service.commands.coverage_sources import Trouble
from service.commands.table import Column, paragraph, table

_PATIENTS_SHOWN = 30
_ROWS_SHOWN = 25
_SHORT = {
    "demographics": "demo", "history": "hist", "function": "func", "laboratory": "lab", "tumour": "tum",
    "imaging": "img", "genetics": "gene",
}  # fmt: skip
_LONGEST_ID = 24
_Counted = TypeVar("_Counted", UnknownCode, UnitProblem, IssueKind)
_SEVERITIES = ("error", "warning", "information")


class Coverage(msgspec.Struct, frozen=True):
    """Counts over all patients. `parameters`: patients who have a value; `troubles` is what could not be read."""

    patients: list[Found]
    parameters: Counter[str]
    codes: Counter[UnknownCode]
    units: Counter[UnitProblem]
    issues: Counter[IssueKind]
    troubles: list[Trouble]


def as_json(coverage: Coverage) -> bytes:
    """Every count, most frequent first."""
    whole = {
        "patients": [
            {
                "patient": f"Patient/{patient.patient}",
                "at": patient.at,
                **({"entity": patient.entity} if patient.entity else {}),
                "found": patient.total,
                "byModality": dict(zip(MODALITIES, patient.by_modality, strict=True)),
            }
            for patient in coverage.patients
        ],
        "parameters": [{"feature": key, "patients": count} for key, count in _parameters(coverage)],
        "unknownCodes": [
            {"type": one.type, "system": one.system, "code": one.code, "count": n} for one, n in _ranked(coverage.codes)
        ],
        "units": [
            {"feature": one.feature, "unit": one.unit, "issue": one.code, "count": n}
            for one, n in _ranked(coverage.units)
        ],
        "issues": [
            {"severity": kind.severity, "code": kind.code, **({"feature": kind.feature} if kind.feature else {})}
            | {"count": n}
            for kind, n in _ranked(coverage.issues)
        ],
        "failed": coverage.troubles,
    }
    return msgspec.json.format(msgspec.json.encode(whole)) + b"\n"


def as_text(coverage: Coverage, width: int) -> str:
    """The tables of a first look; long ones end with what is left out."""
    total = len(coverage.patients)
    lines = [f"{total} patient{'' if total == 1 else 's'}", *_patients(coverage.patients, width)]
    lines += [*_modalities(coverage, width), *_codes(coverage, width), *_units(coverage, width)]
    return "\n".join([*lines, *_issues(coverage, width)])


def _ranked(counts: Counter[_Counted]) -> list[tuple[_Counted, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _parameters(coverage: Coverage) -> list[tuple[str, int]]:
    """All parameters in the catalogue's order, with the number of patients who have a value."""
    return [(key, coverage.parameters[key]) for key in catalogue().schema.keys]


def _patients(patients: Sequence[Found], width: int) -> Iterator[str]:
    if not patients:
        return
    columns = (
        Column("Patient"),
        *(Column(_SHORT[name], right=True) for name in MODALITIES),
        Column("all", right=True),
        Column("Cancer"),
    )
    rows = [_patient_row(patient) for patient in patients[:_PATIENTS_SHOWN]]
    if len(patients) > 1:
        middle = [median(patient.by_modality[i] for patient in patients) for i in range(len(MODALITIES))]
        whole = median(patient.total for patient in patients)
        rows.append(("median", *(f"{value:g}" for value in (*middle, whole)), ""))
    yield from ["", "PARAMETERS FOUND, by patient", *table(columns, rows, width)]
    yield from _more(len(patients), _PATIENTS_SHOWN)


def _patient_row(patient: Found) -> tuple[str, ...]:
    name = patient.patient if len(patient.patient) <= _LONGEST_ID else f"{patient.patient[: _LONGEST_ID - 1]}…"
    return name, *map(str, patient.by_modality), str(patient.total), patient.entity.removeprefix("entity_")


def _modalities(coverage: Coverage, width: int) -> Iterator[str]:
    """Per modality, the parameters by how many patients have them; those that nobody has."""
    schema = catalogue().schema
    counts = _parameters(coverage)
    for modality in MODALITIES:
        here = [(key, n) for key, n in counts if schema[key].modality == modality]
        had = sorted(((key, n) for key, n in here if n), key=lambda item: -item[1])
        none = [schema[key].label_en for key, n in here if not n and not schema[key].is_entity]
        yield from ["", f"{modality.upper()}  {len(had)} of {len(here)} found in somebody"]
        if had:
            yield from paragraph("; ".join(f"{schema[key].label_en} {n}" for key, n in had), width, "  ")
        if none:
            yield from paragraph(f"nobody has: {'; '.join(none)}", width, "  ")


def _codes(coverage: Coverage, width: int) -> Iterator[str]:
    if not coverage.codes:
        return
    yield from ["", f"UNKNOWN CODES  {len(coverage.codes)}, by count"]
    columns = (Column("Count", right=True), Column("Code", wraps=True), Column("System", wraps=True), Column("In"))
    rows = [(str(n), one.code, one.system, one.type) for one, n in _ranked(coverage.codes)[:_ROWS_SHOWN]]
    yield from table(columns, rows, width)
    yield from _more(len(coverage.codes), _ROWS_SHOWN)


def _units(coverage: Coverage, width: int) -> Iterator[str]:
    if not coverage.units:
        return
    yield from ["", f"UNITS NOT USED  {len(coverage.units)}, by count"]
    schema = catalogue().schema
    columns = (Column("Count", right=True), Column("Unit", wraps=True), Column("Parameter", wraps=True), Column("Why"))
    rows = [
        (
            str(n),
            one.unit or "(none)",
            schema[one.feature].label_en if one.feature in schema.index else one.feature,
            one.code,
        )
        for one, n in _ranked(coverage.units)[:_ROWS_SHOWN]
    ]
    yield from table(columns, rows, width)
    yield from _more(len(coverage.units), _ROWS_SHOWN)


def _issues(coverage: Coverage, width: int) -> Iterator[str]:
    if not coverage.issues:
        return
    yield from ["", "ISSUES, by count (docs/mapping-issues.md says what can be done)"]
    by_code: dict[tuple[str, str], Counter[str]] = {}
    for kind, n in coverage.issues.items():
        by_code.setdefault((kind.severity, kind.code), Counter())[kind.feature] += n
    ranked = sorted(by_code.items(), key=lambda item: (_SEVERITIES.index(item[0][0]), -item[1].total(), item[0][1]))
    columns = (
        Column("Severity"),
        Column("Count", right=True),
        Column("Code"),
        Column("Meaning", wraps=True),
        Column("Most often", wraps=True),
    )
    rows = [
        (severity, str(about.total()), code, in_words(code), _most_often(about)) for (severity, code), about in ranked
    ]
    yield from table(columns, rows, width)


def _most_often(about: Counter[str]) -> str:
    labels = [f"{catalogue().schema[key].label_en} {n}" for key, n in about.most_common() if key]
    return "; ".join(labels[:3])


def _more(total: int, shown: int) -> list[str]:
    return [f"  and {total - shown} more (--json has all)"] if total > shown else []
