"""Clinical scores by hand-computed patients; a missing input is never taken as normal."""

import math
from collections.abc import Mapping

import msgspec
import numpy as np
import pytest

from fhir_mappings import formulas
from models.training.clinical_scores import CHARLSON, CLINICAL_SCORES
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()
SCORES = {score.key: score for score in CLINICAL_SCORES}
BLOOD = {"lab_neutrophils_abs": 8.0, "lab_lymphocytes_abs": 1.0, "lab_wbc": 10.0, "lab_platelets": 300.0}
HEALTHY = dict.fromkeys((*CHARLSON, "comorb_liver_mild", "comorb_liver_severe"), 0.0)


def risk(key: str, known: Mapping[str, float]) -> float:
    """The score of one patient of whom only `known` is known, as a risk."""
    values = np.full((1, len(CATALOGUE)), np.nan, dtype=np.float32)
    for name, value in known.items():
        values[0, CATALOGUE.index[name]] = value
    patient = msgspec.structs.replace(cohort(1), values=values)
    return float(SCORES[key].risk(patient, CATALOGUE)[0])


CASES: list[tuple[str, dict[str, float], float]] = [
    ("uicc", {"stage_uicc_stage": 3}, 3),
    ("m1", {"stage_m1": 1}, 1),
    ("ecog", {"func_ecog": 2}, 2),
    ("charlson", {**HEALTHY, "comorb_chf": 1, "comorb_renal": 1}, 3),
    ("charlson", {**HEALTHY, "comorb_liver_mild": 1, "comorb_liver_severe": 1}, 4),
    ("nlr", BLOOD, math.log(8)),
    ("nlr", {"ratio_nlr": 3.0}, math.log(3)),
    ("plr", BLOOD, math.log(300)),
    ("sii", BLOOD, math.log(2400)),
    ("dnlr", BLOOD, math.log(4)),
    ("lipi", {**BLOOD, "ratio_ldh_uln_ratio": 1.2}, 2),
    ("lipi", {**BLOOD, "lab_neutrophils_abs": 7.5, "ratio_ldh_uln_ratio": 1.0}, 0),
    ("grim", {**BLOOD, "ratio_ldh_uln_ratio": 1.2, "lab_albumin": 3.4}, 3),
    ("grim", {"ratio_nlr": 6.0, "ratio_ldh_uln_ratio": 0.9, "lab_albumin": 3.5}, 0),
    ("rmh", {"ratio_ldh_uln_ratio": 1.2, "lab_albumin": 3.0, "stage_n_met_sites": 3}, 3),
    ("rmh", {"ratio_ldh_uln_ratio": 1.2, "lab_albumin": 4.0, "stage_n_met_sites": 2}, 1),
    ("mgps", {"lab_crp": 10}, 0),
    ("mgps", {"lab_crp": 11, "lab_albumin": 3.5}, 1),
    ("mgps", {"lab_crp": 11, "lab_albumin": 3.4}, 2),
    ("mgps", {"lab_crp": 5, "lab_albumin": 2.0}, 0),
    ("gps", {"lab_crp": 5, "lab_albumin": 2.0}, 1),
    ("albi", {"lab_bilirubin_total": 1.0, "lab_albumin": 4.0}, 0.66 * math.log10(17.1) - 3.4),
    ("pni", {"lab_albumin": 4.0, "lab_lymphocytes_abs": 2.0}, -50),
    ("corrected-calcium", {"lab_calcium": 9.0, "lab_albumin": 3.0}, 9.8),
    ("egfr", {"lab_creatinine": 0.9, "demo_age_at_baseline": 50, "demo_sex_female": 0}, -142 * 0.9938**50),
]


@pytest.mark.parametrize(("key", "known", "expected"), CASES)
def test_a_patient_by_hand(key: str, known: dict[str, float], expected: float) -> None:
    """The published formula; where a high score is favourable its sign is turned."""
    assert risk(key, known) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("key", "known", "expected"), CASES)
def test_a_missing_input_leaves_no_score(key: str, known: dict[str, float], expected: float) -> None:
    """Each input that the patient of the example cannot do without, taken away in turn, and all of them at once."""
    dispensable = {
        "mgps": {"lab_albumin"} if expected == 0 else set(),
        "nlr": {"lab_wbc", "lab_platelets"},
        "plr": {"lab_neutrophils_abs", "lab_wbc"},
        "sii": {"lab_wbc"},
        "dnlr": {"lab_lymphocytes_abs", "lab_platelets"},
        "lipi": {"lab_lymphocytes_abs", "lab_platelets"},
        "grim": {"lab_wbc", "lab_platelets"},
        "charlson": {"comorb_liver_mild"} if known.get("comorb_liver_severe") else set(),
    }
    for name in known.keys() - dispensable.get(key, set()):
        assert math.isnan(risk(key, {k: v for k, v in known.items() if k != name})), name
    assert math.isnan(risk(key, {}))


@pytest.mark.parametrize(
    "also",
    [{"med_gcsf": 1.0}, {"med_corticosteroid": 1.0}, {"lab_neutrophils_abs": 1.2}, {"lab_lymphocytes_abs": 0.0}],
)
def test_ratios_of_moved_counts_are_none(also: dict[str, float]) -> None:
    """Growth factors, steroids, neutropenia, nothing to divide by: no ratio, and no score that needs one."""
    complete = {**BLOOD, "ratio_ldh_uln_ratio": 0.9, "lab_albumin": 4.0}
    for key in ("nlr", "plr", "sii", "grim"):
        assert not math.isnan(risk(key, complete))
        assert math.isnan(risk(key, complete | also))


def test_the_recorded_value_comes_before_the_computed_one() -> None:
    """A cohort that holds the derived parameter already is taken at its word."""
    assert risk("charlson", {**HEALTHY, "comorb_charlson_index": 5}) == 5
    assert risk("albi", {"ratio_albi": -2.0, "lab_bilirubin_total": 1.0, "lab_albumin": 4.0}) == -2


def test_one_formula_for_records_and_cohorts() -> None:
    """What a FHIR record derives is what these scores compute from the same parts."""
    for creatinine, age, female in ((0.6, 40, True), (1.4, 71, True), (0.8, 55, False), (3.0, 66, False)):
        parts = {"lab_creatinine": creatinine, "demo_age_at_baseline": age, "demo_sex_female": float(female)}
        assert risk("egfr", parts) == pytest.approx(
            -(formulas.egfr_ckd_epi_2021(creatinine, age, female) or 0), rel=1e-5
        )
    assert risk("albi", {"lab_bilirubin_total": 2.5, "lab_albumin": 3.1}) == pytest.approx(
        formulas.albi(2.5, 3.1), rel=1e-5
    )
    weights = {key: value for key, value in formulas.CHARLSON_WEIGHTS.items() if "liver" not in key}
    assert weights == CHARLSON
