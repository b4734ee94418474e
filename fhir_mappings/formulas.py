"""Values that are computed from others, by plain numbers in canonical units; one copy for FHIR records and for cohorts.

Every function answers None where its parts do not allow an answer (a denominator of zero, a logarithm of zero, a grade
that does not exist). Whether the result is plausible is the catalogue's question, asked by the caller.
"""

import math
from collections.abc import Mapping
from datetime import date

MICROMOLE_OF_MILLIGRAM_BILIRUBIN = 17.1  # umol/L in 1 mg/dL
GRAMS_PER_LITRE = 10.0  # g/L in 1 g/dL

# Quan 2011 weights of the rows that are not cancer. Those of Charlson 1987 that Quan set to 0 (infarction, peripheral
# vessels, stroke, uncomplicated diabetes, ulcer) have no row here.
CHARLSON_WEIGHTS: Mapping[str, int] = {
    "comorb_chf": 2,
    "comorb_dementia": 2,
    "comorb_copd": 1,
    "comorb_connective_tissue": 1,
    "comorb_liver_mild": 2,
    "comorb_diabetes_compl": 1,
    "comorb_hemiplegia": 2,
    "comorb_renal": 1,
    "comorb_liver_severe": 4,
    "comorb_hiv": 4,
}


def bmi(weight_kg: float, height_cm: float) -> float | None:
    """Body mass index in kg/m2: weight divided by the square of the height in metres (Quetelet)."""
    if height_cm <= 0:
        return None
    return weight_kg / (height_cm / 100) ** 2


def mean_arterial_pressure(systolic: float, diastolic: float) -> float:
    """Mean arterial pressure in mm[Hg]: (systolic + 2 * diastolic) / 3."""
    return (systolic + 2 * diastolic) / 3


def egfr_ckd_epi_2021(creatinine_mg_dl: float, age_years: float, female: bool) -> float | None:
    """Glomerular filtration rate in mL/min/{1.73_m2} by the race-free CKD-EPI equation (Inker et al., NEJM 2021).

    142 * min(Cr/k, 1)^a * max(Cr/k, 1)^-1.200 * 0.9938^age * (1.012 if female), k 0.7 or 0.9, a -0.241 or -0.302.
    """
    if creatinine_mg_dl <= 0:
        return None
    k, a = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine_mg_dl / k
    rate = 142 * min(ratio, 1) ** a * max(ratio, 1) ** -1.2 * 0.9938**age_years
    return float(rate * 1.012 if female else rate)


def albi(bilirubin_mg_dl: float, albumin_g_dl: float) -> float | None:
    """Albumin-bilirubin score (Johnson et al., JCO 2015): 0.66 * log10(umol/L) - 0.085 * (g/L)."""
    if bilirubin_mg_dl <= 0:
        return None
    bilirubin = bilirubin_mg_dl * MICROMOLE_OF_MILLIGRAM_BILIRUBIN
    return 0.66 * math.log10(bilirubin) - 0.085 * albumin_g_dl * GRAMS_PER_LITRE


def nlr(neutrophils: float, lymphocytes: float) -> float | None:
    """Neutrophil to lymphocyte ratio of one sample; None with a lymphocyte count of zero."""
    return neutrophils / lymphocytes if lymphocytes > 0 else None


def anion_gap(sodium: float, chloride: float, bicarbonate: float) -> float:
    """Sodium - chloride - bicarbonate in mmol/L (without potassium)."""
    return sodium - chloride - bicarbonate


def charlson(conditions: Mapping[str, bool]) -> int:
    """Charlson index without cancer and age, Quan 2011 weights; the milder form is dropped beside the severe one.

    `conditions` maps catalogue keys (`comorb_…`) to whether the condition holds; absent keys count as not held, so the
    caller answers for the list being complete.
    """
    held = {key for key, holds in conditions.items() if holds}
    if "comorb_liver_severe" in held:
        held.discard("comorb_liver_mild")
    return sum(weight for key, weight in CHARLSON_WEIGHTS.items() if key in held)


def isup_of_gleason(primary: int, secondary: int) -> int | None:
    """ISUP grade group 1-5 of two Gleason patterns (Epstein et al. 2016): sum <= 6, 3+4, 4+3, 8, 9-10."""
    if not (1 <= primary <= 5 and 1 <= secondary <= 5):
        return None
    total = primary + secondary
    if total == 7:
        return {3: 2, 4: 3}.get(primary)  # 2+5 and 5+2 are not defined
    return isup_of_gleason_sum(total)


def isup_of_gleason_sum(total: int) -> int | None:
    """ISUP grade group of a Gleason sum alone; None for 7, where the order of the patterns decides, and beyond 2-10."""
    if not 2 <= total <= 10 or total == 7:
        return None
    if total <= 6:
        return 1
    return 4 if total == 8 else 5


def ecog_of_karnofsky(karnofsky: float) -> int | None:
    """ECOG grade of a Karnofsky index: 100 is 0, 80-90 is 1, 60-70 is 2, 40-50 is 3, 10-30 is 4; else None."""
    if karnofsky % 10 or not 10 <= karnofsky <= 100:
        return None
    if karnofsky == 100:
        return 0
    return 4 if karnofsky <= 30 else int(110 - karnofsky) // 20


def completed_years(birth: date, at: date) -> int:
    """Whole years from birth to `at`; someone born on 29 February is a year older on 1 March of common years."""
    return at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
