"""Checks of typed/windows.txt: half a day before the end of its window a value is used, half a day after it is not.

In the clinic and in an emergency; there a window of hours is looked at nearer to its end.
"""

from collections.abc import Iterator
from functools import cache, partial

from fhir_mappings.concepts import ICD10_GM, catalogue
from tests.catalogue.check import Check, lines
from tests.catalogue.diagnosis_checks import icd10_sample
from tests.catalogue.observation_checks import samples
from tests.unit.fhir_mappings.resources_of import (
    ADMIT_SOURCE,
    Resource,
    ago,
    body_composition,
    concept,
    condition,
    encoded,
    encounter,
    measured,
)

_HALF_A_DAY = 0.5
_MUSCLE, _BONE, _SAT, _VAT = "91727004", "3138006", "sat", "RID50365"
_VOLUMES = {_MUSCLE: 3000.0, _BONE: 1500.0, "imat": 300.0, "tat": 6000.0, _SAT: 4000.0, _VAT: 2000.0}
_CAVITIES = {"abdominal": "361473009", "thoracic": "43799004", "vat": "361473009"}


@cache
def typed_windows() -> dict[str, tuple[float, float]]:
    """Clinic and emergency window of each parameter that has one, in days."""
    found: dict[str, tuple[float, float]] = {}
    for head, rest in lines("windows.txt"):
        clinic, emergency = (float(days) for days in head.split())
        found |= dict.fromkeys(rest.split(), (clinic, emergency))
    return found


def window_checks() -> Iterator[Check]:
    for key, (clinic, acute) in typed_windows().items():
        about = frozenset({key})
        if stated(key, clinic) is None:
            continue
        for days, emergency in ((clinic, False), (acute, True)):
            name = f"{key} counts for {days:g} days{' in an emergency' if emergency else ''}"
            near = min(_HALF_A_DAY, days / 5)
            yield Check(name, about, partial(_not_kept, key, days - near, used=True, emergency=emergency))
            yield Check(name, about, partial(_not_kept, key, days + near, used=False, emergency=emergency))
    for key in catalogue().schema.keys:
        yield Check(f"windows of {key}", frozenset({key}), partial(_not_typed, key), by_value=True)


def stated(key: str, days: float) -> list[Resource] | None:
    """Resources that state the parameter so many days ago; None where no reader reads it by itself."""
    if key.startswith("comorb_"):
        code = icd10_sample(key)
        at_an_index_tumour = key == "comorb_prior_malignancy"
        return None if code is None or at_an_index_tumour else [condition(code, ICD10_GM, days=days)]
    if key.startswith("bca_") and key.endswith("_ratio"):
        return [body_composition(_CAVITIES[key.split("_")[1]], _VOLUMES, effectiveDateTime=ago(days))]
    if key == "func_nursing_home":
        return [encounter("IMP", days=days, hospitalization={"admitSource": concept("nursing", ADMIT_SOURCE)})]
    if key in _PARTS:
        return [measured(code, value, unit, days) for code, value, unit in _PARTS[key]]
    sample = samples(days).get(key)
    return None if sample is None else sample[0]


# Parameters that are only computed, with their parts.
_PARTS = {
    "ratio_nlr": (("751-8", 4.0, "10*9/L"), ("731-0", 1.0, "10*9/L")),
    "ratio_albi": (("1975-2", 1.0, "mg/dL"), ("1751-7", 4.0, "g/dL")),
}


def _not_kept(key: str, days: float, *, used: bool, emergency: bool) -> str | None:
    found = key in encoded(*(stated(key, days) or []), emergency=emergency).findings
    return None if found == used else f"at {days:g} days it is {'used' if found else 'not used'}"


def _not_typed(key: str) -> str | None:
    feature, typed = catalogue().schema[key], typed_windows().get(key, (None, None))
    found = (feature.window_days, feature.window_days_emergency)
    return None if found == typed else f"{found} instead of {typed}"
