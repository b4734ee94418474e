"""Which errors of unit are caught: measured on the public cohorts, written to docs/unit-errors.md.

`python -m tests.catalogue.unit_errors DATA` (the folder with the cohort folders) writes the document. A value that is
right is turned into what the same laboratory would have sent in another unit and left unmarked; it is caught where the
result lies outside low..high of the parameter, and suspected where no training patient has it and the unit explains it.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from fhir_mappings.cohorts.hancock import BLOOD
from fhir_mappings.cohorts.source_tables import read_rows
from fhir_mappings.concepts import catalogue
from fhir_mappings.unit_errors import UnitError, errors_of
from models.features import Feature
from models.manifest import TrainedInput
from service.unit_suspicion import suspected_units

DOCUMENT = Path(__file__).parents[2] / "docs" / "unit-errors.md"


class Figure(msgspec.Struct, frozen=True):
    """Of `n` right values of a cohort, how many would be caught by the range, and how many by that or suspected."""

    key: str
    error: str
    caught: int
    suspected: int
    n: int
    cohort: str


# Columns in the parameter's own unit (reference: the authors' code books); a cohort stands where it has most values.
_NHANES = {
    "vital_weight": "BMXWT", "vital_height": "BMXHT", "vital_bmi": "BMXBMI", "vital_sbp": "BPXSY_mean",
    "vital_dbp": "BPXDI_mean", "vital_heart_rate": "BPXPLS", "lab_wbc": "LBXWBCSI", "lab_neutrophils_abs": "LBDNENO",
    "lab_lymphocytes_abs": "LBDLYMNO", "lab_monocytes_abs": "LBDMONO", "lab_eosinophils_abs": "LBDEONO",
    "lab_rbc": "LBXRBCSI", "lab_hemoglobin": "LBXHGB", "lab_hematocrit": "LBXHCT", "lab_mcv": "LBXMCVSI",
    "lab_mch": "LBXMCHSI", "lab_rdw": "LBXRDW", "lab_platelets": "LBXPLTSI", "lab_mpv": "LBXMPSI",
    "lab_albumin": "LBXSAL", "lab_total_protein": "LBXSTP", "lab_bilirubin_total": "LBXSTB", "lab_alp": "LBXSAPSI",
    "lab_alt": "LBXSATSI", "lab_ast": "LBXSASSI", "lab_ggt": "LBXSGTSI", "lab_ldh": "LBXSLDSI",
    "lab_sodium": "LBXSNASI", "lab_potassium": "LBXSKSI", "lab_chloride": "LBXSCLSI", "lab_bicarbonate": "LBXSC3SI",
    "lab_calcium": "LBXSCA", "lab_phosphate": "LBXSPH", "lab_uric_acid": "LBXSUA", "lab_urea_nitrogen": "LBXSBU",
    "lab_glucose": "LBXSGL", "lab_cholesterol": "LBXSCH", "lab_creatinine": "LBXSCR_cal", "lab_crp": "CRP_mg_L",
    "lab_hba1c": "LBXGH", "lab_ferritin": "LBXFER", "lab_fibrinogen": "LBXFB", "lab_tsh": "LBXTSH",
    "lab_urine_albumin_creatinine": "UACR_mg_g", "lab_testosterone": "LBXTST", "lab_ca125": "SSCA125",
}  # fmt: skip
_SUPPORT2 = {
    "vital_map": "meanbp", "vital_resp_rate": "resp", "vital_temperature": "temp", "lab_ph_blood": "ph",
    "lab_pf_ratio": "pafi", "func_urine_output": "urine", "lab_creatinine": "crea", "lab_albumin": "alb",
    "lab_bilirubin_total": "bili", "lab_glucose": "glucose", "lab_urea_nitrogen": "bun", "lab_wbc": "wblc",
}  # fmt: skip
COHORTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "nhanes": ("nhanes/nhanes_cancer_1999_2018.csv.gz", _NHANES),
    "support2": ("support2/support2.csv.gz", _SUPPORT2),
    "hcc_coimbra": ("hcc_coimbra/hcc_coimbra.csv.gz", {"lab_inr": "INR", "lab_ferritin": "Ferritin"}),
    "hcc_sysucc": (
        "hcc_sysucc/hcc_sysucc.csv.gz",
        {"lab_afp": "AFP", "img_largest_lesion": "Largest.Diameter.of.Hepatic.Lesions"},
    ),
    "tcga": ("tcga/clinical_bcr_2016_01_28.csv.gz", {"lab_cea": "cea_ng_ml"}),
    "metabric": ("metabric/metabric.csv.gz", {"path_tumour_size": "TUMOR_SIZE"}),
    "hancock": ("hancock/blood.csv", {key: column for column, key, _ in BLOOD}),
}
MANY_VALUES = ("nhanes", "support2", "hancock")  # cohorts with a whole laboratory a patient
_ZERO_IS_MISSING = frozenset({"vital_resp_rate", "lab_glucose", "img_largest_lesion", "vital_heart_rate"})


def measurable() -> list[Feature]:
    """The parameters whose value has a unit that could be mistaken, in the order of the catalogue."""
    counted = {"1", "{count}", "{score}", "{level}", "{stage}", "a", "d", "mo", "{PackYears}"}
    computed = {"change", "derived", "count"}
    return [
        f
        for f in catalogue().schema.features
        if f.kind == "continuous" and f.unit not in counted and (f.aggregation not in computed or f.key == "vital_bmi")
    ]


def figures(data: Path, cohorts: Mapping[str, tuple[str, Mapping[str, str]]] = COHORTS) -> list[Figure]:
    """One figure per parameter, error and cohort."""
    schema = catalogue().schema
    found = []
    for cohort, (file, columns) in cohorts.items():
        for key, values in _columns(data / file, columns).items():
            right = [v for v in values if schema[key].plausible(v) and (v or key not in _ZERO_IS_MISSING)]
            found += [_figure(schema[key], error, right, cohort) for error in errors_of(key)]
    return found


def _columns(path: Path, columns: Mapping[str, str]) -> dict[str, list[float]]:
    patients = _patients(path, columns)
    return {key: [known[key] for known in patients if key in known] for key in columns}


def _patients(path: Path, columns: Mapping[str, str]) -> list[dict[str, float]]:
    """The values of each row."""
    return [
        {key: float(row[column]) for key, column in columns.items() if row[column].strip() not in {"", "NA"}}
        for row in read_rows(path, [*columns.values()])
    ]


def _figure(feature: Feature, error: UnitError, right: list[float], cohort: str) -> Figure:
    trained = {feature.key: _trained(right)}
    wrong = [error.wrong(value) for value in right]
    caught = [not feature.plausible(value) for value in wrong]
    either = [
        out or bool(suspected_units({feature.key: value}, trained)) for out, value in zip(caught, wrong, strict=True)
    ]
    return Figure(feature.key, named(error), sum(caught), sum(either), len(right), cohort)


def _trained(values: list[float]) -> TrainedInput:
    """What a manifest would say of a parameter that training saw with these values."""
    low, high = np.quantile(values, [0.01, 0.99])
    return TrainedInput(len(values), "quantile", min(values), max(values), usual=(float(low), float(high)))


def false_alarms(data: Path, cohort: str) -> tuple[int, int]:
    """Patients with a right value that is suspected by the values of the other four fifths, and patients in all."""
    file, columns = COHORTS[cohort]
    schema = catalogue().schema
    patients = [
        {key: value for key, value in known.items() if schema[key].plausible(value)}
        for known in _patients(data / file, columns)
    ]
    alarms = 0
    for fold in range(5):
        others = [known for i, known in enumerate(patients) if i % 5 != fold]
        columns_of = {key: [known[key] for known in others if key in known] for key in columns}
        trained = {key: _trained(values) for key, values in columns_of.items() if values}
        alarms += sum(bool(suspected_units(known, trained)) for known in patients[fold::5])
    return alarms, len(patients)


def named(error: UnitError) -> str:
    if error.is_slip:
        return "x10" if error.factor > 1 else "/10"
    return f"{error.sent} read as {error.read}"


def best(found: list[Figure]) -> list[Figure]:
    """Of each parameter the figures of the cohort that has most values."""
    most: dict[str, Figure] = {}
    for figure in found:
        if figure.key not in most or figure.n > most[figure.key].n:
            most[figure.key] = figure
    return [figure for figure in found if figure.cohort == most[figure.key].cohort]


def line(figure: Figure) -> str:
    feature = catalogue().schema[figure.key]
    allowed = f"{feature.low:g} to {feature.high:g} {feature.unit}"
    caught, either = (f"{100 * number / figure.n:.1f}" for number in (figure.caught, figure.suspected))
    return f"| `{figure.key}` | {allowed} | {figure.error} | {caught} | {either} | {figure.n:,} | {figure.cohort} |"


def document(found: list[Figure], alarms: Mapping[str, tuple[int, int]]) -> str:
    """The whole of docs/unit-errors.md."""
    chosen = best(found)
    order = {feature.key: place for place, feature in enumerate(measurable())}
    rows = [line(figure) for figure in sorted(chosen, key=lambda figure: order[figure.key])]
    never = {f"`{f.key}` {f.error}" for f in chosen if f.suspected < 0.01 * f.n}
    always = sum(f.caught > 0.99 * f.n for f in chosen)
    mostly = sum(f.suspected > 0.95 * f.n for f in chosen)
    false = ", ".join(f"{alarm} of {n:,} in {cohort}" for cohort, (alarm, n) in alarms.items())
    without = ", ".join(f"`{f.key}`" for f in measurable() if f.key not in {figure.key for figure in chosen})
    return _TEXT.format(
        rows="\n".join(rows), total=len(chosen), always=always, mostly=mostly, false=false,
        never=len(never), named="; ".join(sorted(never)),
        without=without,
    )  # fmt: skip


_TEXT = """# Errors of unit, and which of them are caught

A laboratory that sends micromoles under the unit of milligrams makes an error that no table of units can see: the unit
is known, the number is wrong. Two checks are left. The range in which a value is possible at all (`low` and `high` of
`features.csv`): a value outside is not used, with the issue `implausible`. And suspicion: a value that no training
patient had, and that would be usual (between the 1 % and 99 % quantiles of training) if an error of unit were undone,
where that error moves every usual value out of the usual ones. A patient with such a value is not scored
(`unusual-unit`), and the card names value and unit.

This table says how much both catch: every right value of a public cohort was changed as the error would change it.
"umol/L read as mg/dL" means that the number in umol/L arrives as if it were mg/dL.

Of {total} errors {always} leave the possible range in more than 99 of 100 values; with suspicion {mostly} are caught in
more than 95 of 100, and {never} in fewer than 1 of 100. The ranges are those of possible values in ill people, not of
healthy ones: they cannot be drawn closer without losing real values of the sickest patients. What nothing catches, a
laboratory's mapping has to get right, and a site can see: a median that lies off by one of these factors.

False alarms, patients of a left-out fifth with a right value that is suspected: {false}.

Written by `python -m tests.catalogue.unit_errors DATA`, DATA being the folder that holds the cohort folders.

| parameter | possible | error | out of range, % | or suspected, % | values | cohort |
|---|---|---|---:|---:|---:|---|
{rows}

## Never caught (fewer than 1 of 100)
{named}.

## Not measured: no cohort holds a value
{without}.
"""


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    data = Path(arguments[0])
    alarms = {cohort: false_alarms(data, cohort) for cohort in MANY_VALUES}
    DOCUMENT.write_text(document(figures(data), alarms), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT.name}: {len(measurable())} parameters\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
