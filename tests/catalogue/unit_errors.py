"""Which errors of unit the plausible ranges catch: measured on the public cohorts, written to docs/unit-errors.md.

`python -m tests.catalogue.unit_errors DATA` (the folder with the cohort folders) writes the document. A value that is
right is turned into what the same laboratory would have sent in another unit and left unmarked; it is caught where the
result lies outside low..high of the parameter.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from fhir_mappings.cohorts.hancock import BLOOD
from fhir_mappings.cohorts.source_tables import read_rows
from fhir_mappings.concepts import catalogue
from models.features import Feature

DOCUMENT = Path(__file__).parents[2] / "docs" / "unit-errors.md"
Change = Callable[[float], float]


class Figure(msgspec.Struct, frozen=True):
    """Of `n` right values of a cohort, how many would be caught after the error."""

    key: str
    error: str
    caught: int
    n: int
    cohort: str


def _times(factor: float) -> tuple[Change, Change]:
    return lambda value: value * factor, lambda value: value / factor


# Parameter -> pairs of errors: the unit that was meant and the one that was read, both ways. Factors from the
# definition of the units and from molar masses, not from units.csv.
_TEN = ("x10", "/10", _times(10))
_ERRORS: Mapping[str, tuple[tuple[str, str, tuple[Change, Change]], ...]] = {
    "lab_creatinine": (("umol/L read as mg/dL", "mg/dL read as umol/L", _times(88.4)),),
    "lab_bilirubin_total": (("umol/L read as mg/dL", "mg/dL read as umol/L", _times(17.1)),),
    "lab_glucose": (("mg/dL read as mmol/L", "mmol/L read as mg/dL", _times(18.016)),),
    "lab_urea_nitrogen": (
        ("urea read as urea nitrogen", "urea nitrogen read as urea", _times(2.14)),
        ("mg/dL read as mmol/L", "mmol/L read as mg/dL", _times(2.801)),
    ),
    "lab_calcium": (("mg/dL read as mmol/L", "mmol/L read as mg/dL", _times(4.008)),),
    "lab_phosphate": (("mg/dL read as mmol/L", "mmol/L read as mg/dL", _times(3.097)),),
    "lab_cholesterol": (("mg/dL read as mmol/L", "mmol/L read as mg/dL", _times(38.67)),),
    "lab_uric_acid": (("umol/L read as mg/dL", "mg/dL read as umol/L", _times(59.48)),),
    "lab_hemoglobin": (("g/dL read as mmol/L", "mmol/L read as g/dL", _times(1.6114)),),
    "lab_albumin": (("g/L read as g/dL", "g/dL read as g/L", _times(10)),),
    "lab_total_protein": (("g/L read as g/dL", "g/dL read as g/L", _times(10)),),
    "lab_crp": (("mg/L read as mg/dL", "mg/dL read as mg/L", _times(10)),),
    "lab_fibrinogen": (("mg/dL read as g/L", "g/L read as mg/dL", _times(100)),),
    "lab_ferritin": (("pmol/L read as ng/mL", "ng/mL read as pmol/L", _times(2.247)),),
    "lab_testosterone": (("ng/dL read as nmol/L", "nmol/L read as ng/dL", _times(28.84)),),
    "lab_urine_albumin_creatinine": (("mg/g read as mg/mmol", "mg/mmol read as mg/g", _times(8.84)),),
    "lab_afp": (("ng/mL read as IU/mL", "IU/mL read as ng/mL", _times(1.21)),),
    "lab_hba1c": (
        (
            "mmol/mol read as %",
            "% read as mmol/mol",
            (lambda value: (value - 2.152) / 0.09148, lambda value: value * 0.09148 + 2.152),
        ),
    ),
    "lab_hematocrit": (("% read as fraction", "fraction read as %", _times(100)),),
    "lab_pf_ratio": (("mm[Hg] read as kPa", "kPa read as mm[Hg]", _times(7.50062)),),
    "vital_temperature": (
        (
            "Fahrenheit read as Celsius",
            "Celsius read as Fahrenheit",
            (lambda value: value * 1.8 + 32, lambda value: (value - 32) / 1.8),
        ),
    ),
    "vital_weight": (("lb read as kg", "kg read as lb", _times(2.20462)),),
    "vital_height": (("cm read as in", "in read as cm", _times(2.54)), ("cm read as m", "m read as cm", _times(100))),
    **dict.fromkeys(
        ("vital_sbp", "vital_dbp", "vital_map"), (("mm[Hg] read as kPa", "kPa read as mm[Hg]", _times(7.50062)),)
    ),
    **dict.fromkeys(
        ("lab_alt", "lab_ast", "lab_ggt", "lab_alp", "lab_ldh"),
        (("U/L read as ukat/L", "ukat/L read as U/L", _times(60)),),
    ),
    **dict.fromkeys(
        (
            "lab_wbc", "lab_platelets", "lab_neutrophils_abs", "lab_lymphocytes_abs", "lab_monocytes_abs",
            "lab_eosinophils_abs",
        ),
        (("/uL read as /nL", "/nL read as /uL", _times(1000)),),
    ),
}  # fmt: skip

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
            found += [_figure(schema[key], name, change, right, cohort) for name, change in _errors(key)]
    return found


def _columns(path: Path, columns: Mapping[str, str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {key: [] for key in columns}
    for row in read_rows(path, [*columns.values()]):
        for key, column in columns.items():
            if row[column].strip() not in {"", "NA"}:
                found[key].append(float(row[column]))
    return found


def _errors(key: str) -> Iterator[tuple[str, Change]]:
    own = _ERRORS.get(key, ())
    is_ten = any("g/L read as g/dL" in there or "mg/L read as mg/dL" in there for there, _, _ in own)
    for there, back, changes in own if is_ten else (*own, _TEN):
        yield there, changes[0]
        yield back, changes[1]


def _figure(feature: Feature, error: str, change: Change, right: list[float], cohort: str) -> Figure:
    caught = sum(not feature.plausible(change(value)) for value in right)
    return Figure(feature.key, error, caught, len(right), cohort)


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
    share = f"{100 * figure.caught / figure.n:.1f}"
    return f"| `{figure.key}` | {allowed} | {figure.error} | {share} | {figure.n:,} | {figure.cohort} |"


def document(found: list[Figure]) -> str:
    """The whole of docs/unit-errors.md."""
    chosen = best(found)
    order = {feature.key: place for place, feature in enumerate(measurable())}
    rows = [line(figure) for figure in sorted(chosen, key=lambda figure: order[figure.key])]
    never = {f"`{f.key}` {f.error}" for f in chosen if f.caught < 0.01 * f.n}
    always = sum(f.caught > 0.99 * f.n for f in chosen)
    without = ", ".join(f"`{f.key}`" for f in measurable() if f.key not in {figure.key for figure in chosen})
    return _TEXT.format(
        rows="\n".join(rows), total=len(chosen), always=always, never=len(never), named="; ".join(sorted(never)),
        without=without,
    )  # fmt: skip


_TEXT = """# Errors of unit, and which of them the plausible ranges catch

A laboratory that sends micromoles under the unit of milligrams makes an error that no table of units can see: the unit
is known, the number is wrong. What is left is the range in which a value is possible at all (`low` and `high` of
`features.csv`); a value outside is not used, with the issue `implausible`. This table says how much that catches: every
right value of a public cohort was changed as the error would change it, and counted as caught where it left the range.
"umol/L read as mg/dL" means that the number in umol/L arrives as if it were mg/dL.

Of {total} errors {always} are caught in more than 99 of 100 values and {never} in fewer than 1 of 100. The ranges are
those of possible values in ill people, not of healthy ones: they cannot be drawn closer without losing real values of
the sickest patients. What they cannot catch, a laboratory's mapping has to get right, and a site can see: a median that
lies off by one of these factors.

Written by `python -m tests.catalogue.unit_errors DATA`, DATA being the folder that holds the cohort folders.

| parameter | possible | error | caught, % | values | cohort |
|---|---|---|---:|---:|---|
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
    DOCUMENT.write_text(document(figures(Path(arguments[0]))), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT.name}: {len(measurable())} parameters\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
