"""CISNE: the points of apparently stable febrile neutropenia in a solid tumour. Never a reason to discharge.

Carmona-Bayonas et al., J Clin Oncol 2015, 33, 465. What we take for its context, by the newest readings: 38.0 Cel or
more, fewer than 500 neutrophils/uL, and stable, which has to be shown: alert, systolic pressure at least 90 mm[Hg],
saturation at least 90 %, no sepsis. Cardiovascular disease is infarction, heart failure, peripheral vascular disease or
arrhythmia.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.finding import Finding
from fhir_mappings.timing import in_order

_FEVER, _FEW_NEUTROPHILS = 38.0, 0.5  # Cel, 10*9/L
_LOWEST_PRESSURE, _LOWEST_SATURATION, _ALERT = 90.0, 90.0, 15
_HEART_AND_VESSELS = ("comorb_mi", "comorb_chf", "comorb_pvd", "comorb_arrhythmia")
_GLUCOSE, _GLUCOSE_IF_EXPECTED = 121.0, 250.0  # mg/dL; the second where diabetes or steroids explain a high one
_FEW_MONOCYTES = 0.2  # 10*9/L
_OF_NOW = timedelta(days=1)  # the blood count that shows the neutropenia

CisnePart = tuple[str, Finding, int]


def cisne_points(encoded: EncodedPatient, at: datetime) -> tuple[CisnePart, ...]:
    """The six parts with their points; none outside the context, and none where an input is missing."""
    if not (_is_neutropenic(encoded, at) and _has_fever(encoded) and _is_stable(encoded)):
        return ()
    known = encoded.findings
    found = (
        _part("ecog", known.get("func_ecog"), lambda value: 2 if value >= 2 else 0),
        _glucose(encoded),
        _part("copd", known.get("comorb_copd"), lambda value: 1 if value else 0),
        _part("cardiovascular", _any_of(encoded, *_HEART_AND_VESSELS), lambda value: 1 if value else 0),
        _part("mucositis", encoded.bedside.mucositis_grade, lambda value: 1 if value >= 2 else 0),
        _part("monocytes", known.get("lab_monocytes_abs"), lambda value: 1 if value < _FEW_MONOCYTES else 0),
    )
    complete = tuple(part for part in found if part is not None)
    return complete if len(complete) == len(found) else ()


def _is_neutropenic(encoded: EncodedPatient, at: datetime) -> bool:
    count = encoded.findings.get("lab_neutrophils_abs")
    return (
        count is not None
        and count.value < _FEW_NEUTROPHILS
        and count.effective is not None
        and at - in_order(count.effective) <= _OF_NOW
    )


def _has_fever(encoded: EncodedPatient) -> bool:
    temperature = encoded.bedside.temperature
    return temperature is not None and round(temperature.value, 1) >= _FEVER


def _is_stable(encoded: EncodedPatient) -> bool:
    bedside, sepsis = encoded.bedside, encoded.findings.get("comorb_sepsis")
    limits = (
        (bedside.systolic, _LOWEST_PRESSURE),
        (bedside.spo2, _LOWEST_SATURATION),
        (bedside.consciousness, _ALERT),
    )
    is_shown = all(reading is not None and reading.value >= limit for reading, limit in limits)
    return is_shown and (sepsis is None or sepsis.value == 0)


def _part(key: str, finding: Finding | None, points: Callable[[float], int]) -> CisnePart | None:
    return None if finding is None else (key, finding, points(finding.value))


def _glucose(encoded: EncodedPatient) -> CisnePart | None:
    """Between the two limits it depends on diabetes and steroids, which have to be known."""
    glucose = encoded.findings.get("lab_glucose")
    if glucose is None:
        return None
    expected = _any_of(encoded, "comorb_diabetes", "comorb_diabetes_compl", "med_corticosteroid")
    if _GLUCOSE <= glucose.value < _GLUCOSE_IF_EXPECTED and expected is None:
        return None
    limit = _GLUCOSE_IF_EXPECTED if expected is not None and expected.value else _GLUCOSE
    return "glucose", glucose, 2 if glucose.value >= limit else 0


def _any_of(encoded: EncodedPatient, *keys: str) -> Finding | None:
    """One that is present, else one of those that are all absent; None where that is not known."""
    found = [encoded.findings[key] for key in keys if key in encoded.findings]
    present = next((finding for finding in found if finding.value), None)
    return present if present is not None or len(found) < len(keys) else found[0]
