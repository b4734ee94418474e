"""NHANES 1999-2018: adults with a history of cancer from the examination on (public domain, US government).

They are survivors: the examination is a median of 7 years after the diagnosis, which stands as an input and not as a
delayed entry. Cancer type and diseases are told by the person. Not read: UCOD_LEADING (an outcome); LBXTFR (the soluble
receptor, not transferrin); SSCA153, PHQ9, HUQ010, LBXSCK, WHD020, WHD050, MCQ160C, MCQ160D, BMXWAIST (no parameter);
RX_endocrine, RX_hydrocodone; CYCLE and the weights of the survey. LBXSCR is replaced by the calibrated LBXSCR_cal.
RIDRETH1 asks for race and ethnicity at once and has no word for Asian people: they are `other`.
"""

from collections.abc import Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder, Patient
from fhir_mappings.cohorts.columns import (
    DAYS_PER_MONTH,
    YES_NO,
    Coded,
    Number,
    names,
    outcome,
    put_age,
    put_codes,
    put_numbers,
)
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from models.features import FeatureSchema
from models.training.race import Race

# No entity: bone (mostly metastases), liver and brain (histology decides), blood, lymphoma, leukemia, other.
ENTITIES: Mapping[str, str] = {
    "breast": "entity_breast",
    "prostate": "entity_prostate",
    "colon": "entity_colon",
    "rectum": "entity_rectum",
    "cervix": "entity_cervix",
    "ovary": "entity_ovary",
    "bladder": "entity_urothelial",
    "kidney": "entity_renal",
    "stomach": "entity_gastric",
    "esophagus": "entity_esophagus",
    "pancreas": "entity_pancreas",
    "thyroid": "entity_thyroid",
    "testis": "entity_testicular",
    "melanoma": "entity_melanoma",
    "soft_tissue": "entity_soft_tissue_sarcoma",
    "gallbladder": "entity_biliary",
    "mouth": "entity_head_neck",
    "larynx": "entity_head_neck",
    "uterus": "entity_endometrium",
    "lung": "entity_nsclc",  # assumed, as everywhere that the site alone is known
}
RACE: Mapping[str, Race] = {"1": "hispanic", "2": "hispanic", "3": "white", "4": "black", "5": "other"}
TOLD: Mapping[str, float] = {"1": 1, "2": 0}  # answers of the questionnaire; refused and "don't know" are missing
LUNG_DISEASES = ("MCQ160G", "MCQ160K", "MCQ160O", "MCQ010")  # emphysema, bronchitis, COPD, asthma
RECENT_YEARS = 5  # what the catalogue calls a prior malignancy

NUMBERS: tuple[Number, ...] = (
    ("BMXWT", "vital_weight", "kg"),
    ("BMXHT", "vital_height", "cm"),
    ("BMXBMI", "vital_bmi", "kg/m2"),
    ("BPXSY_mean", "vital_sbp", "mm[Hg]"),
    ("BPXDI_mean", "vital_dbp", "mm[Hg]"),
    ("BPXPLS", "vital_heart_rate", "/min"),
    ("PACK_YEARS", "func_pack_years", None),
    ("LBXWBCSI", "lab_wbc", "10*3/uL"),
    ("LBDNENO", "lab_neutrophils_abs", "10*3/uL"),
    ("LBDLYMNO", "lab_lymphocytes_abs", "10*3/uL"),
    ("LBDMONO", "lab_monocytes_abs", "10*3/uL"),
    ("LBDEONO", "lab_eosinophils_abs", "10*3/uL"),
    ("LBXRBCSI", "lab_rbc", "10*6/uL"),
    ("LBXHGB", "lab_hemoglobin", "g/dL"),
    ("LBXHCT", "lab_hematocrit", "%"),
    ("LBXMCVSI", "lab_mcv", "fL"),
    ("LBXMCHSI", "lab_mch", "pg"),
    ("LBXRDW", "lab_rdw", "%"),
    ("LBXPLTSI", "lab_platelets", "10*3/uL"),
    ("LBXMPSI", "lab_mpv", "fL"),
    ("LBXSAL", "lab_albumin", "g/dL"),
    ("LBXSTP", "lab_total_protein", "g/dL"),
    ("LBXSTB", "lab_bilirubin_total", "mg/dL"),
    ("LBXSAPSI", "lab_alp", "U/L"),
    ("LBXSATSI", "lab_alt", "U/L"),
    ("LBXSASSI", "lab_ast", "U/L"),
    ("LBXSGTSI", "lab_ggt", "U/L"),
    ("LBXSLDSI", "lab_ldh", "U/L"),
    ("LBXSNASI", "lab_sodium", "mmol/L"),
    ("LBXSKSI", "lab_potassium", "mmol/L"),
    ("LBXSCLSI", "lab_chloride", "mmol/L"),
    ("LBXSC3SI", "lab_bicarbonate", "mmol/L"),
    ("LBXSCA", "lab_calcium", "mg/dL"),
    ("LBXSPH", "lab_phosphate", "mg/dL"),
    ("LBXSUA", "lab_uric_acid", "mg/dL"),
    ("LBXSBU", "lab_urea_nitrogen", "mg/dL"),
    ("LBXSGL", "lab_glucose", "mg/dL"),
    ("LBXSCH", "lab_cholesterol", "mg/dL"),
    ("LBXSCR_cal", "lab_creatinine", "mg/dL"),
    ("CRP_mg_L", "lab_crp", "mg/L"),
    ("LBXGH", "lab_hba1c", "%"),
    ("LBXFER", "lab_ferritin", "ng/mL"),
    ("LBXFB", "lab_fibrinogen", "mg/dL"),
    ("LBXTSH", "lab_tsh", "uIU/mL"),
    ("UACR_mg_g", "lab_urine_albumin_creatinine", "mg/g"),
    ("SSCA125", "lab_ca125", "U/mL"),
    ("YEARS_SINCE_DX", "stage_months_since_diagnosis", "a"),
)
TESTOSTERONE: tuple[Number, ...] = (("LBXTST", "lab_testosterone", "ng/dL"),)
CODES: tuple[Coded, ...] = (
    ("RIAGENDR", "demo_sex_female", {"1": 0, "2": 1}),
    ("SMOKING", "func_smoking_status", {"0": 0, "1": 1, "2": 2}),
    ("MCQ160E", "comorb_mi", TOLD),
    ("MCQ160B", "comorb_chf", TOLD),
    ("MCQ160F", "comorb_cerebrovascular", TOLD),
    ("MCQ160L", "comorb_liver_mild", TOLD),
    ("KIQ022", "comorb_renal", TOLD),
    ("RA", "comorb_connective_tissue", YES_NO),  # rheumatoid arthritis only
    ("DIQ010", "comorb_diabetes", {**TOLD, "3": 0}),  # 3 borderline
    ("HIV_POS", "comorb_hiv", YES_NO),
    ("RX_opioid_strong", "med_opioid", YES_NO),
    ("RX_corticosteroid_systemic", "med_corticosteroid", YES_NO),
    ("RX_diuretic", "med_diuretic", YES_NO),
    ("RX_anticoagulant", "med_anticoagulant", YES_NO),
    ("RX_bisphosphonate_denosumab", "med_bisphosphonate_denosumab", YES_NO),
)
OTHERS = ("SEQN", "RIDAGEYR", "RIDRETH1", "CANCER", "N_CANCERS", "OTHER_CANCER_AGE", "MORTSTAT", "PERMTH_EXM")
COLUMNS = OTHERS + LUNG_DISEASES + names(NUMBERS, TESTOSTERONE, CODES)


def build_nhanes(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "nhanes", "survivor")
    for row in read_rows(folder / "nhanes_cancer_1999_2018.csv.gz", COLUMNS):
        known = outcome(row, "PERMTH_EXM", DAYS_PER_MONTH, "MORTSTAT", {"0": False, "1": True})
        patient = build.add_row(row, "SEQN", ENTITIES.get(row["CANCER"], ""), known)
        if patient:
            _add_values(build, patient, row)
    return build.build()


def _add_values(build: CohortBuilder, patient: Patient, row: Row) -> None:
    patient.race = RACE.get(row["RIDRETH1"])
    age = number(row, "RIDAGEYR")
    put_age(build, patient, age)
    put_numbers(build, patient, row, NUMBERS)
    put_codes(build, patient, row, CODES)
    if row["CANCER"] == "prostate" and row["RIAGENDR"] == "1":
        put_numbers(build, patient, row, TESTOSTERONE)
    answers = [TOLD[row[column]] for column in LUNG_DISEASES if row[column] in TOLD]
    build.put(patient, "comorb_copd", max(answers, default=None))
    build.put(patient, "comorb_prior_malignancy", _prior_malignancy(age, row))


def _prior_malignancy(age: float | None, row: Row) -> int | None:
    """Whether another cancer was found in the last 5 years; a person with one cancer had none."""
    other = number(row, "OTHER_CANCER_AGE")
    if other is None:
        return 0 if row["N_CANCERS"] == "1" else None
    return None if age is None else int(age - other <= RECENT_YEARS)
