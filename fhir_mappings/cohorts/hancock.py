"""HANCOCK: head and neck squamous cell carcinoma, Erlangen, at diagnosis (CC BY 4.0).

Integer cells are label codes in alphabetical order, not levels (smoking 0 is "former"). Recurrence, cause of death and
undated diagnosis codes are not read. Inside the blood table the authors filled gaps with the mode of the sex, unmarked;
71 patients have no blood row at all.
"""

from collections.abc import Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder, Patient
from fhir_mappings.cohorts.columns import Number, names, outcome, put_age, put_numbers
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from fhir_mappings.histology import histology_flags
from models.features import FeatureSchema

ENTITY = "entity_head_neck"

SMOKING = {0: 1, 1: 0, 2: 2}  # former, never, current; 3 unknown
T_CATEGORY = {2: 1, 3: 1, 4: 1, 5: 2, 6: 3, 7: 4, 8: 4}  # 0 in situ and 1 TX are missing
N_CATEGORY = {1: 0, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2, 7: 2, 8: 3, 9: 3}  # 0 NX is missing
GRADE = {0: 1, 1: 2, 2: 3}  # 3 "HPV-associated" is no grade
P16 = {0: 0, 2: 1}  # 1 not tested
OROPHARYNX = {1: 0, 2: 0, 3: 0, 4: 1}  # 0 unknown primary
RESIDUAL = {0: 0, 1: 1, 2: 2}  # 3 RX
RESIDUAL_IN_SITU = {0: 0, 1: 0, 2: 1}  # none, clear margin, at the margin
YES_NO = {0: 0, 1: 1}

CLINICAL: tuple[tuple[str, str, Mapping[int, int]], ...] = (
    ("sex", "demo_sex_female", YES_NO),
    ("primarily_metastasis", "stage_m1", YES_NO),
    ("smoking_status", "func_smoking_status", SMOKING),
)
PATHOLOGY: tuple[tuple[str, str, Mapping[int, int]], ...] = (
    ("pT_stage", "stage_t_category", T_CATEGORY),
    ("pN_stage", "stage_n_category", N_CATEGORY),
    ("grading", "stage_grade", GRADE),
    ("hpv_association_p16", "path_p16_hpv", P16),
    ("primary_tumor_site", "path_oropharynx", OROPHARYNX),
    ("resection_status", "path_residual_status", RESIDUAL),
    ("resection_status_carcinoma_in_situ", "path_residual_cis", RESIDUAL_IN_SITU),
    ("carcinoma_in_situ", "path_carcinoma_in_situ", YES_NO),
    ("lymphovascular_invasion_L", "path_lymphatic_invasion", YES_NO),
    ("vascular_invasion_V", "path_venous_invasion", YES_NO),
    ("perineural_invasion_Pn", "path_perineural_invasion", YES_NO),
    ("perinodal_invasion", "path_extranodal_extension", YES_NO),
)
PATHOLOGY_NUMBERS: tuple[Number, ...] = (
    ("number_of_positive_lymph_nodes", "path_nodes_positive", None),
    ("infiltration_depth_in_mm", "path_invasion_depth", "mm"),
)
DENSITIES: tuple[Number, ...] = (("cd3_z", "path_cd3_density", "/mm2"), ("cd8_z", "path_cd8_density", "/mm2"))
BLOOD: tuple[Number, ...] = (
    ("Leukocytes [#/volume] in Blood", "lab_wbc", "10*9/L"),
    ("Hemoglobin [Mass/volume] in Blood", "lab_hemoglobin", "g/dL"),
    ("Platelets [#/volume] in Blood", "lab_platelets", "10*9/L"),
    ("Erythrocytes [#/volume] in Blood", "lab_rbc", "10*12/L"),
    ("Hematocrit [Volume Fraction] of Blood", "lab_hematocrit", "%"),
    ("Erythrocyte mean corpuscular hemoglobin [Entitic mass]", "lab_mch", "pg"),
    ("Erythrocyte mean corpuscular volume [Entitic volume]", "lab_mcv", "fL"),
    ("Erythrocyte distribution width [Ratio]", "lab_rdw", "%"),
    ("Platelet mean volume [Entitic volume] in Blood", "lab_mpv", "fL"),
    ("Granulocytes [#/volume] in Blood", "lab_neutrophils_abs", "10*9/L"),
    ("Eosinophils [#/volume] in Blood", "lab_eosinophils_abs", "10*9/L"),
    ("Lymphocytes [#/volume] in Blood", "lab_lymphocytes_abs", "10*9/L"),
    ("Monocytes [#/volume] in Blood", "lab_monocytes_abs", "10*9/L"),
)
SQUAMOUS = "8070/3"  # every type in this cohort is a variant of squamous cell carcinoma
OUTCOME = ("patient_id", "survival_status", "days_to_last_information")


def build_hancock(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the tables in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "hancock", "diagnosis")
    for row in read_rows(folder / "targets.csv", OUTCOME):
        _add_patient(build, row)
    for patient, row in _rows(build, folder / "clinical.csv", ("age_at_initial_diagnosis", *names(CLINICAL))):
        _put_labels(build, patient, row, CLINICAL)
        put_age(build, patient, number(row, "age_at_initial_diagnosis"))
    for patient, row in _rows(build, folder / "pathological.csv", names(PATHOLOGY, PATHOLOGY_NUMBERS)):
        _put_labels(build, patient, row, PATHOLOGY)
        put_numbers(build, patient, row, PATHOLOGY_NUMBERS)
    for file, numbers in (("blood.csv", BLOOD), ("tma_cell_density.csv", DENSITIES)):
        for patient, row in _rows(build, folder / file, names(numbers)):
            put_numbers(build, patient, row, numbers)
    return build.build()


def _add_patient(build: CohortBuilder, row: Row) -> None:
    known = outcome(row, "days_to_last_information", 1, "survival_status", {"living": False, "deceased": True})
    patient = build.add_row(row, "patient_id", ENTITY, known)
    if patient:
        for key, flag in histology_flags(SQUAMOUS).items():
            build.put(patient, key, flag)


def _rows(build: CohortBuilder, path: Path, columns: tuple[str, ...]) -> list[tuple[Patient, Row]]:
    rows = read_rows(path, ("patient_id", *columns))
    return [(build.patients[row["patient_id"]], row) for row in rows if row["patient_id"] in build.patients]


def _put_labels(
    build: CohortBuilder, patient: Patient, row: Row, entries: tuple[tuple[str, str, Mapping[int, int]], ...]
) -> None:
    """Label codes come as 3 and as 3.0."""
    for column, key, codes in entries:
        code = number(row, column)
        build.put(patient, key, None if code is None else codes.get(int(code)))
