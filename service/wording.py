"""Values, ages and factors as people read them. Everything here comes from the catalogue and from numbers."""

from datetime import datetime

from fhir_mappings.concepts import catalogue
from fhir_mappings.timing import days_between, instant
from models.features import Feature

_UNITS = {
    "1": "", "{score}": "", "{count}": "", "{level}": "", "{stage}": "", "{INR}": "", "{PackYears}": "pack-years",
    "[pH]": "", "a": "years", "mo": "months", "d": "days", "mm[Hg]": "mmHg", "Cel": "°C", "10*9/L": "10⁹/L",
    "10*12/L": "10¹²/L", "mL/min/{1.73_m2}": "mL/min/1.73 m²", "kg/m2": "kg/m²", "cm2/m2": "cm²/m²", "[hnsf'U]": "HU",
    "/mm2": "/mm²", "1/1000000{Base}": "/Mb", "m[IU]/L": "mIU/L", "m[IU]/mL": "mIU/mL", "mL/(24.h)": "mL/24 h",
}  # fmt: skip

_LEVELS: dict[str, tuple[str, ...]] = {
    "stage_uicc_stage": ("", "I", "II", "III", "IV"),
    "stage_t_category": ("T0", "T1", "T2", "T3", "T4"),
    "stage_n_category": ("N0", "N1", "N2", "N3"),
    "stage_grade": ("", "G1", "G2", "G3", "G4"),
    "stage_m1": ("M0", "M1"),
    "stage_disease_status": ("no evidence of tumour", "partial response", "stable", "progression"),
    "path_residual_status": ("R0", "R1", "R2"),
    "path_her2": ("negative", "low", "positive"),
    "func_smoking_status": ("never", "former", "current"),
    "demo_sex_female": ("male", "female"),
}


def value_text(feature: Feature, value: float | None) -> str:
    """A value with its unit ("29 g/L"), or the name of its level ("M1", "yes")."""
    if value is None:
        return ""
    if feature.is_entity:
        return ""
    names = _LEVELS.get(feature.key)
    if names is not None and value == int(value) and 0 <= int(value) < len(names):
        return names[int(value)]
    if feature.kind == "binary":
        return "yes" if value == 1 else "no"
    return f"{number(value)} {_UNITS.get(feature.unit, feature.unit)}".strip()


def number(value: float) -> str:
    """Three significant digits, no exponent; whole numbers as they are."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.3g}"


def age_text(effective: str, at: datetime) -> str:
    """How old a value is: "today", "3 days", "5 months", "2 years"; "" where it has no date."""
    moment = instant(effective) if effective else None
    if moment is None:
        return ""
    days = max(0.0, days_between(moment, at))
    if days < 1:
        return "today"
    if days < 60:
        return _count(int(days), "day")
    if days < 730:
        return _count(round(days / 30.4375), "month")
    return _count(round(days / 365.25), "year")


def factor_text(factor: float) -> str:
    """The hazard against a typical patient ("×1.4"), with two digits behind the point where it is close to 1."""
    return f"×{factor:.2f}" if 0.9 < factor < 1.1 else f"×{factor:.1f}" if factor < 10 else f"×{factor:.0f}"


def feature_of(key: str) -> Feature:
    return catalogue().schema[key]


def _count(number_of: int, unit: str) -> str:
    return f"{number_of} {unit}" if number_of == 1 else f"{number_of} {unit}s"
