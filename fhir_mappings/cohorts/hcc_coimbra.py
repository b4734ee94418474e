"""Coimbra: hepatocellular carcinoma at diagnosis (CC BY 4.0; Santos et al. 2015).

The outcome is "alive at one year": everybody is followed for 365 days, the dead die on the last of them. Albumin is in
g/dL although the code book says mg/dL. Not read: Packs_year (packs a year) and Smoking (yes or no, so without former
smokers). The table has no identifier: a patient is the number of the row.
"""

from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder, Patient
from fhir_mappings.cohorts.columns import YES_NO, Coded, Number, names, put_age, put_codes, put_numbers
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from models.features import FeatureSchema

ONE_YEAR = 365.0
DIED = {"0": True, "1": False}  # lives_1y

NUMBERS: tuple[Number, ...] = (
    ("PS", "func_ecog", None),
    ("INR", "lab_inr", None),
    ("AFP", "lab_afp", "ng/mL"),
    ("Hemoglobin", "lab_hemoglobin", "g/dL"),
    ("MCV", "lab_mcv", "fL"),
    ("Leucocytes_G_L", "lab_wbc", "G/L"),
    ("Platelets_G_L", "lab_platelets", "G/L"),
    ("Albumin", "lab_albumin", "g/dL"),
    ("Total_Bil", "lab_bilirubin_total", "mg/dL"),
    ("ALT", "lab_alt", "U/L"),
    ("AST", "lab_ast", "U/L"),
    ("GGT", "lab_ggt", "U/L"),
    ("ALP", "lab_alp", "U/L"),
    ("TP", "lab_total_protein", "g/dL"),
    ("Creatinine", "lab_creatinine", "mg/dL"),
    ("Ferritin", "lab_ferritin", "ng/mL"),
    ("Major_Dim", "img_largest_lesion", "cm"),
)
CODES: tuple[Coded, ...] = (
    ("Gender", "demo_sex_female", {"1": 0, "0": 1}),
    ("Metastasis", "stage_m1", YES_NO),
    ("CRI", "comorb_renal", YES_NO),
    ("HIV", "comorb_hiv", YES_NO),
    ("Diabetes", "comorb_diabetes", YES_NO),
    ("Cirrhosis", "comorb_liver_mild", YES_NO),
    ("Ascites", "comorb_ascites", {"1": 0, "2": 1, "3": 1}),  # none, mild, moderate to severe
)
PORTAL_HYPERTENSION = ("Varices", "PHT")
COLUMNS = ("Age", "lives_1y", *PORTAL_HYPERTENSION, *names(NUMBERS, CODES))


def build_hcc_coimbra(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "hcc_coimbra", "diagnosis")
    for row in read_rows(folder / "hcc_coimbra.csv.gz", COLUMNS):
        died = DIED.get(row["lives_1y"])
        known = None if died is None else (ONE_YEAR, died)
        patient = build.add_numbered_row(row, "entity_hepatocellular", known)
        if patient:
            _add_values(build, patient, row)
    return build.build()


def _add_values(build: CohortBuilder, patient: Patient, row: Row) -> None:
    put_age(build, patient, number(row, "Age"))
    put_numbers(build, patient, row, NUMBERS)
    put_codes(build, patient, row, CODES)
    signs = [YES_NO[row[column]] for column in PORTAL_HYPERTENSION if row[column] in YES_NO]
    build.put(patient, "comorb_liver_severe", max(signs, default=None))
