"""HCC-TACE-Seg: hepatocellular carcinoma before the first chemoembolisation, Houston (CC BY 4.0; TCIA).

Only the baseline sums of target lesions are read, as the mean of the readers who measured. The time of staging is not
stated. PS merges ECOG 1-2 and 3-4: not read; nor are CLIP, Okuda and BCLC (scores of others), CPS, and `chemotherapy`
(the treatment that follows).
"""

from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder, Patient
from fhir_mappings.cohorts.columns import (
    DAYS_PER_WEEK,
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
from fhir_mappings.cohorts.staging import stage_group
from models.features import FeatureSchema

STATUS = "Death_1_StillAliveorLostToFU_0"
READERS = ("1_RECIST_BL", "2_RECIST_BL", "3_RECIST_BL")
GRADES = {
    "Well differentiated": 1,
    "Moderately differentiated": 2,
    "Poorly differentiated": 3,
    "Well-moderately differentiated": 2,  # mixed: the higher grade counts
    "Moderately-poorly differentiated": 3,
}

NUMBERS: tuple[Number, ...] = (("AFP", "lab_afp", "ng/mL"), ("Tr_Size", "img_largest_lesion", "cm"))
CODES: tuple[Coded, ...] = (
    ("Sex", "demo_sex_female", {"1": 0, "2": 1}),
    ("Diabetes", "comorb_diabetes", YES_NO),
    ("Evidence_of_cirh", "comorb_liver_mild", YES_NO),
    ("Metastasis", "stage_m1", YES_NO),
    ("Pathology", "stage_grade", GRADES),
)
OTHERS = ("TCIA_ID", STATUS, "OS", "age", "TNM", *READERS)
COLUMNS = OTHERS + names(NUMBERS, CODES)


def build_hcc_tace_seg(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "hcc_tace_seg", "metastatic")
    for row in read_rows(folder / "hcc_tace_seg.csv.gz", COLUMNS):
        known = outcome(row, "OS", DAYS_PER_WEEK, STATUS, {"0": False, "1": True})
        patient = build.add_row(row, "TCIA_ID", "entity_hepatocellular", known)
        if patient:
            _add_values(build, patient, row)
    return build.build()


def _add_values(build: CohortBuilder, patient: Patient, row: Row) -> None:
    put_age(build, patient, number(row, "age"))
    put_numbers(build, patient, row, NUMBERS)
    put_codes(build, patient, row, CODES)
    build.put(patient, "stage_uicc_stage", stage_group(row["TNM"].removeprefix("Stage-")))
    sums = [length for length in (number(row, column) for column in READERS) if length is not None]
    build.put(patient, "img_recist_sum", sum(sums) / len(sums) if sums else None, "mm")
