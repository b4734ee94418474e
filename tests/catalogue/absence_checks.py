"""Checks of typed/missing_rules.txt: what an absent value means, shown by small records."""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache, partial

from fhir_mappings.concepts import ICD10_GM, catalogue
from tests.catalogue.check import Check, lines
from tests.catalogue.diagnosis_checks import icd10_sample
from tests.catalogue.observation_checks import samples
from tests.catalogue.window_checks import typed_windows
from tests.unit.fhir_mappings.resources_of import (
    CLINICAL,
    UICC,
    Resource,
    coded,
    concept,
    condition,
    documented,
    encoded,
    tumour,
)

_LONG_AGO = 300.0  # days since diagnosis
_INDICES = frozenset({"comorb_charlson_index", "comorb_count"})
_MAY_BE_OVER = frozenset({"comorb_mi", "comorb_cerebrovascular"})  # an old infarction or stroke counts
_COURSE = "stage_disease_status"


@cache
def typed_rules() -> dict[str, str]:
    """Missing rule by parameter; a star stands for the rest of a name."""
    found: dict[str, str] = {}
    for rule, rest in lines("missing_rules.txt"):
        for word in rest.split():
            found |= {key: rule for key in catalogue().schema.keys if fnmatchcase(key, word)}
    return found


def absence_checks() -> Iterator[Check]:
    rules = typed_rules()
    for key, rule in rules.items():
        for name, wrong in _shown(key, rule):
            yield Check(f"{key}: {name}", frozenset({key}), wrong)
    for key in catalogue().schema.keys:
        yield Check(f"missing rule of {key}", frozenset({key}), partial(_not_typed, key), by_value=True)


def _shown(key: str, rule: str) -> Iterator[tuple[str, Callable[[], str | None]]]:
    of_problems = rule in {"documented_problems", "documented_acute"}
    if rule in {"always_known", "complete_encounters"}:  # every patient's, or counted from the same encounters
        return
    if key not in _INDICES:
        yield "with documented problems", partial(_not, key, documented(), 0.0 if of_problems else None)
    if key not in {"stage_m1", "stage_n_met_sites"}:
        m0 = [coded("21901-4", "M0", UICC, days=10)]
        yield "with M0", partial(_not, key, m0, 0.0 if rule == "m0_or_site_list" else None)
    if of_problems and key not in _MAY_BE_OVER and (code := icd10_sample(key)) and key != "comorb_prior_malignancy":
        over = condition(code, ICD10_GM, days=5, clinicalStatus=concept("inactive", CLINICAL))
        yield "over", partial(_not, key, [over], 1.0 if rule == "documented_acute" else None)
    if rule == "m0_or_statement":
        yield "M0 of long ago", partial(_not, key, [coded("21901-4", "M0", UICC, days=100)], None)
        yield "M1 of long ago", partial(_not, key, [coded("21901-4", "M1", UICC, days=1000)], 1.0)
    if rule == "m0_or_site_list" and (code := icd10_sample(key)):
        yield "a site of long ago", partial(_not, key, [condition(code, ICD10_GM, days=1000)], 1.0)
    if rule == "initial_staging":
        yield from _of_staging(key)
    elif rule in {"measured_only", "derived_from_parts", "tested_gene"}:
        yield from _of_measurement(key)


def _of_staging(key: str) -> Iterator[tuple[str, Callable[[], str | None]]]:
    diagnosed = tumour(days=_LONG_AGO)
    for name, days, used in (("at diagnosis", _LONG_AGO - 20, True), ("long after it", _LONG_AGO - 150, False)):
        resources, value = samples(days)[key]
        yield name, partial(_not, key, [diagnosed, *resources], value if used else None)


def _of_measurement(key: str) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Read long after diagnosis, and at any age where there is no window; none of it is initial staging."""
    if key == _COURSE or key not in (found := samples(1)):
        return
    diagnosed = tumour("C61", days=_LONG_AGO) if key in _OF_PROSTATE else tumour(days=_LONG_AGO)
    if not key.startswith(_ONE_TUMOUR_ONLY):
        yield "long after diagnosis", partial(_not, key, [diagnosed, *found[key][0]], found[key][1])
    if key not in typed_windows():
        resources, value = samples(200)[key]
        yield "at any age", partial(_not, key, resources, value)


_OF_PROSTATE = frozenset({"lab_testosterone", "path_gleason_isup"})
_ONE_TUMOUR_ONLY = ("path_p16", "path_ebv", "path_breslow", "path_ulceration", "gene_mgmt", "gene_1p19q")


def _not(key: str, resources: list[Resource], expected: float | None) -> str | None:
    found = encoded(*resources).findings.get(key)
    value = None if found is None else found.value
    if expected is None:
        return None if value is None else f"{value:g} where nothing is known"
    return None if value is not None and abs(value - expected) <= 0.004 * abs(expected) else f"{value} for {expected:g}"


def _not_typed(key: str) -> str | None:
    found, typed = catalogue().schema[key].missing_rule, typed_rules().get(key)
    return None if found == typed else f"{found} instead of {typed}"
