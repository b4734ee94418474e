"""The catalogue as text for a terminal: two lines a parameter, or one parameter in full."""

from collections.abc import Iterator, Mapping, Sequence

from fhir_mappings.catalogue_rows import VERIFICATIONS, Code, ParameterRow
from fhir_mappings.concepts import BY_SITE, catalogue
from models.features import MODALITIES, Feature
from service.commands.table import Column, paragraph, table

_COLUMNS = (
    Column("Parameter"),
    Column("Unit"),
    Column("Range"),
    Column("Window"),
    Column("Codes", right=True),
)
_LEGEND = "Window in days at the clinic / in an emergency (- no limit). Codes: " + "+".join(VERIFICATIONS) + "."

# What the missing rules of the catalogue mean: when "not recorded" is 0, and when it is missing.
WHEN_ABSENT: Mapping[str, str] = {
    "always_known": "from the Patient; missing where that does not say",
    "measured_only": "missing where nobody measured or recorded it, never 0",
    "derived_from_parts": "missing where a part is missing",
    "documented_problems": "0 only with a completed encounter with coded diagnoses in 12 months, else missing",
    "documented_acute": "0 only with a completed encounter with coded diagnoses inside the window, else missing",
    "initial_staging": "recorded 30 days before to 120 days after the diagnosis, else missing",
    "m0_or_statement": "0 only with M0 of the last 90 days, else missing",
    "m0_or_site_list": "0 only with M0 of the last 90 days, else missing",
    "tested_gene": "0 only where the gene was tested, else missing",
    "complete_history": "0 only where the history is declared complete, else missing; an order is no dose",
    "medication_list": "0 only with a medication list of 90 days, else missing",
    "complete_encounters": "0 only with a complete list of encounters, else missing",
    "one_hot": "0 for all others once one cancer type is known, else missing",
}


def all_as_text(rows: Sequence[ParameterRow], width: int) -> str:
    """By modality; the second line holds both labels and the missing rule."""
    features = {row.key: catalogue().schema[row.key] for row in rows}
    legend = (
        _LEGEND.replace(VERIFICATIONS[-1], f"{VERIFICATIONS[-1]}(+{BY_SITE})") if catalogue().site.codes else _LEGEND
    )
    lines = [f"{len(rows)} parameters", *paragraph(legend, width)]
    for modality in MODALITIES:
        here = [row for row in rows if features[row.key].modality == modality]
        if here:
            lines += ["", f"{modality.upper()}  {len(here)}", *_of_modality(here, features, width)]
    return "\n".join(lines)


def _of_modality(rows: Sequence[ParameterRow], features: dict[str, Feature], width: int) -> Iterator[str]:
    titles, *lines = table(_COLUMNS, [_cells(row, features[row.key]) for row in rows], width)
    yield titles
    for row, line in zip(rows, lines, strict=True):
        feature = features[row.key]
        yield line
        yield from paragraph(f"{feature.label_en} / {feature.label_de}; {_rule(feature)}", width, "    ")


def _cells(row: ParameterRow, feature: Feature) -> tuple[str, ...]:
    codes = "+".join(str(count) for count in row.by_verification().values())
    return feature.key, feature.unit, _range(feature), _windows(feature), codes


def _range(feature: Feature) -> str:
    return "0 or 1" if feature.kind in {"binary", "onehot"} else f"{feature.low:g} to {feature.high:g}"


def _windows(feature: Feature) -> str:
    clinic, emergency = feature.window_days, feature.window_days_emergency
    if clinic is None and emergency is None:
        return "-"
    return f"{_days(clinic)} / {_days(emergency)}"


def _days(window: float | None) -> str:
    return "-" if window is None else f"{window:g}"


def _rule(feature: Feature) -> str:
    return f"{feature.aggregation}, {feature.missing_rule}".replace("_", " ")


def one_as_text(row: ParameterRow, width: int) -> str:
    """Everything that is known of one parameter."""
    feature = catalogue().schema[row.key]
    said = {
        "English, German": f"{feature.label_en}; {feature.label_de}",
        "Modality, family": f"{feature.modality}, {feature.family}",
        "Kind, unit": f"{feature.kind}, {feature.unit}",
        "Plausible": _range(feature),
        "Window": f"{_windows(feature)} days (clinic / emergency)" if _windows(feature) != "-" else "no limit",
        "Value": feature.aggregation.replace("_", " "),
        "Absence": f"{feature.missing_rule.replace('_', ' ')}: {WHEN_ABSENT[feature.missing_rule]}",
        "Definition": feature.definition,
        "Formula": row.formula.formula if row.formula else "",
        "Source": row.formula.source if row.formula else "",
        "Measured in": str(row.columns["measured_in"]).replace(";", ", "),
        "Training patients": _count(row, "training_patients"),
        "Status": str(row.columns["status"]),
        "Note": str(row.columns["note"]),
    }
    longest = max(len(name) for name in said)
    lines = [feature.key]
    for name, text in said.items():
        if text:
            first, *others = paragraph(text, width - longest - 4) or [""]
            lines.append(f"  {name.ljust(longest)}  {first}")
            lines += [" " * (longest + 4) + other.strip() for other in others]
    return "\n".join([*lines, *_codes(row, width)])


def _count(row: ParameterRow, column: str) -> str:
    number = row.columns[column]
    return f"{number:,}" if isinstance(number, int) else ""


def _codes(row: ParameterRow, width: int) -> Iterator[str]:
    if not row.codes:
        yield "  no code: it is computed"
        return
    yield f"  {len(row.codes)} codes ({', '.join(f'{n} {name}' for name, n in row.by_verification().items() if n)})"
    columns = (Column("Code"), Column("Meaning"), Column("Name", wraps=True), Column("Verified", wraps=True))
    for system in dict.fromkeys(code.system for code in row.codes):
        yield f"  {system}"
        here = [code for code in row.codes if code.system == system]
        cells = [(code.code, code.meaning, code.display, _verified(code)) for code in here]
        yield from table(columns, cells, width, "    ")


def _verified(code: Code) -> str:
    return f"{code.verification}: {code.source}" if code.source else code.verification
