"""Clinical scores that a cohort file can compute, one function each on its canonical columns.

A score is NaN where an input is missing (absent is never normal) or where its formula does not hold. They are compared
with the network on the patients who have them; none is an input of the network.
Sources marked "recalled" were not checked against the paper itself.
"""

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.cohort import Cohort

Array = NDArray[np.float64]

MICROMOLE_OF_MILLIGRAM_BILIRUBIN = 17.1  # umol/L in 1 mg/dL
LOW_ALBUMIN = 3.5  # g/dL, i.e. 35 g/L
RAISED_CRP = 10.0  # mg/L
NEUTROPENIA = 1.5  # 10*9/L, below this (CTCAE grade 2)
# Quan et al., Am J Epidemiol 2011, rows that are not cancer (recalled); liver disease counts once, by its worse form.
CHARLSON: Mapping[str, int] = {
    "comorb_chf": 2, "comorb_dementia": 2, "comorb_copd": 1, "comorb_connective_tissue": 1,
    "comorb_diabetes_compl": 1, "comorb_hemiplegia": 2, "comorb_renal": 1, "comorb_hiv": 4,
}  # fmt: skip


class Columns:
    """The values of a cohort by parameter, [n] float64 each, NaN = not measured."""

    def __init__(self, cohort: Cohort, schema: FeatureSchema) -> None:
        self._values, self._index = cohort.values, schema.index

    def __getitem__(self, key: str) -> Array:
        return self._values[:, self._index[key]].astype(np.float64)


Formula = Callable[[Columns], Array]


class ClinicalScore(msgspec.Struct, frozen=True):
    """`formula` gives the score of each patient, [n]; `direction` is -1 where a high score is favourable."""

    key: str
    label: str
    formula: Formula
    direction: int = 1

    def risk(self, cohort: Cohort, schema: FeatureSchema) -> Array:
        """The score as a risk: higher is worse, NaN where it is not recorded or cannot be computed."""
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self.formula(Columns(cohort, schema))
        return np.where(np.isfinite(value), self.direction * value, np.nan)


def uicc(of: Columns) -> Array:
    """The recorded stage group I to IV; never computed from TNM (M1 is not IV in every cancer)."""
    return of["stage_uicc_stage"]


def metastasis(of: Columns) -> Array:
    """1 with distant metastasis, 0 with M0."""
    return of["stage_m1"]


def ecog(of: Columns) -> Array:
    """ECOG grade 0 to 4 (Oken et al., Am J Clin Oncol 1982)."""
    return of["func_ecog"]


def charlson(of: Columns) -> Array:
    """Charlson index, Quan 2011 weights, without cancer and age: as recorded, else from all of its parts."""
    mild, severe = of["comorb_liver_mild"], of["comorb_liver_severe"]
    liver = np.where(severe == 1, 4.0, np.where(severe == 0, 2 * mild, np.nan))
    total = liver + sum(weight * of[key] for key, weight in CHARLSON.items())
    return _recorded_or(of["comorb_charlson_index"], total)


def nlr(of: Columns) -> Array:
    """Log of neutrophils / lymphocytes (Templeton et al., J Natl Cancer Inst 2014)."""
    ratio = of["lab_neutrophils_abs"] / of["lab_lymphocytes_abs"]
    return _log_of_readable(_recorded_or(of["ratio_nlr"], ratio), of)


def plr(of: Columns) -> Array:
    """Log of platelets / lymphocytes (Templeton et al., Cancer Epidemiol Biomarkers Prev 2014; recalled)."""
    return _log_of_readable(of["lab_platelets"] / of["lab_lymphocytes_abs"], of)


def sii(of: Columns) -> Array:
    """Log of the immune-inflammation index: platelets * neutrophils / lymphocytes (Hu et al., Clin Cancer Res 2014)."""
    product = of["lab_platelets"] * of["lab_neutrophils_abs"]
    return _log_of_readable(product / of["lab_lymphocytes_abs"], of)


def dnlr(of: Columns) -> Array:
    """Log of the derived ratio: neutrophils / (leukocytes - neutrophils) (Proctor et al., Br J Cancer 2012)."""
    return _log_of_readable(_derived_ratio(of), of)


def lipi(of: Columns) -> Array:
    """Lung immune prognostic index 0 to 2: dNLR > 3, LDH above its limit (Mezquita et al., JAMA Oncol 2018)."""
    return _points(_above(_readable(_derived_ratio(of), of), 3), _raised_ldh(of))


def grim(of: Columns) -> Array:
    """Gustave Roussy immune score 0 to 3: NLR > 6, LDH above its limit, albumin < 35 g/L (Bigot, Eur J Cancer 2017)."""
    ratio = _recorded_or(of["ratio_nlr"], of["lab_neutrophils_abs"] / of["lab_lymphocytes_abs"])
    return _points(_above(_readable(ratio, of), 6), _raised_ldh(of), _low_albumin(of))


def rmh(of: Columns) -> Array:
    """Royal Marsden score 0 to 3: LDH above its limit, albumin < 35 g/L, over two metastatic sites (Arkenau 2009)."""
    return _points(_raised_ldh(of), _low_albumin(of), _above(of["stage_n_met_sites"], 2))


def mgps(of: Columns) -> Array:
    """Modified Glasgow score: CRP <= 10 mg/L is 0 whatever the albumin, else 1, or 2 with albumin < 35 g/L.

    McMillan, Cancer Treat Rev 2013.
    """
    raised = _above(of["lab_crp"], RAISED_CRP)
    return np.where(raised == 0, 0.0, raised + _low_albumin(of))


def gps(of: Columns) -> Array:
    """Glasgow prognostic score: a point each for CRP > 10 mg/L and albumin < 35 g/L (Forrest, Br J Cancer 2003)."""
    return _points(_above(of["lab_crp"], RAISED_CRP), _low_albumin(of))


def albi(of: Columns) -> Array:
    """0.66 * log10(bilirubin in umol/L) - 0.085 * albumin in g/L (Johnson et al., J Clin Oncol 2015)."""
    bilirubin = of["lab_bilirubin_total"] * MICROMOLE_OF_MILLIGRAM_BILIRUBIN
    return _recorded_or(of["ratio_albi"], 0.66 * np.log10(bilirubin) - 0.085 * of["lab_albumin"] * 10)


def pni(of: Columns) -> Array:
    """Prognostic nutritional index: 10 * albumin in g/dL + 0.005 * lymphocytes per uL (Onodera 1984; recalled)."""
    return 10 * of["lab_albumin"] + 0.005 * of["lab_lymphocytes_abs"] * 1000


def corrected_calcium(of: Columns) -> Array:
    """Calcium in mg/dL + 0.8 * (4 - albumin in g/dL) (Payne et al., BMJ 1973, in its usual rounded form; recalled)."""
    return of["lab_calcium"] + 0.8 * (4 - of["lab_albumin"])


def egfr(of: Columns) -> Array:
    """Glomerular filtration rate by CKD-EPI 2021 without race (Inker et al., N Engl J Med 2021)."""
    female = of["demo_sex_female"]
    k, a = np.where(female == 1, 0.7, 0.9), np.where(female == 1, -0.241, -0.302)
    ratio = of["lab_creatinine"] / k
    rate = 142 * np.minimum(ratio, 1) ** a * np.maximum(ratio, 1) ** -1.2 * 0.9938 ** of["demo_age_at_baseline"]
    computed = rate * np.where(female == 1, 1.012, np.where(female == 0, 1.0, np.nan))
    return _recorded_or(of["lab_egfr_ckdepi"], computed)


CLINICAL_SCORES = (
    ClinicalScore("uicc", "UICC stage", uicc),
    ClinicalScore("m1", "distant metastasis", metastasis),
    ClinicalScore("ecog", "ECOG", ecog),
    ClinicalScore("charlson", "Charlson index", charlson),
    ClinicalScore("nlr", "NLR", nlr),
    ClinicalScore("plr", "PLR", plr),
    ClinicalScore("sii", "SII", sii),
    ClinicalScore("dnlr", "dNLR", dnlr),
    ClinicalScore("lipi", "LIPI", lipi),
    ClinicalScore("grim", "GRIm score", grim),
    ClinicalScore("rmh", "RMH score", rmh),
    ClinicalScore("mgps", "mGPS", mgps),
    ClinicalScore("gps", "GPS", gps),
    ClinicalScore("albi", "ALBI", albi),
    ClinicalScore("pni", "PNI", pni, -1),
    ClinicalScore("corrected-calcium", "corrected calcium", corrected_calcium),
    ClinicalScore("egfr", "eGFR (CKD-EPI 2021)", egfr, -1),
)


def _recorded_or(recorded: Array, computed: Array) -> Array:
    return np.where(np.isnan(recorded), computed, recorded)


def _derived_ratio(of: Columns) -> Array:
    rest = of["lab_wbc"] - of["lab_neutrophils_abs"]
    return np.where(rest > 0, of["lab_neutrophils_abs"] / rest, np.nan)


def _readable(ratio: Array, of: Columns) -> Array:
    """NaN where growth factors or steroids move the counts, or in neutropenia; a ratio of 0 or by 0 is none either.

    Only what is recorded makes it invalid: most cohorts hold no medication at all.
    """
    moved = (of["med_gcsf"] == 1) | (of["med_corticosteroid"] == 1) | (of["lab_neutrophils_abs"] < NEUTROPENIA)
    return np.where(moved | ~(ratio > 0) | np.isinf(ratio), np.nan, ratio)


def _log_of_readable(ratio: Array, of: Columns) -> Array:
    return np.asarray(np.log(_readable(ratio, of)))


def _above(value: Array, limit: float) -> Array:
    return np.where(np.isnan(value), np.nan, value > limit)


def _raised_ldh(of: Columns) -> Array:
    """LDH above the limit that came with the result: limits differ between assays, so there is no common one."""
    return _above(of["ratio_ldh_uln_ratio"], 1)


def _low_albumin(of: Columns) -> Array:
    albumin = of["lab_albumin"]
    return np.where(np.isnan(albumin), np.nan, albumin < LOW_ALBUMIN)


def _points(*points: Array) -> Array:
    """The sum; NaN where one of the points is."""
    return np.asarray(sum(points))
