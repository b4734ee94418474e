"""TCGA's first enrolment form -> parameters known at diagnosis or from the resection that followed.

Performance status counts only where the form says that it is the baseline (`performance_status_baseline` = 1): status
after adjuvant therapy already knows how the patient fares. Qualitative laboratory results (low, normal, elevated),
Child-Pugh, fibrosis and risk factors have no parameter.
"""

from collections.abc import Mapping
from pathlib import Path

from fhir_mappings import formulas
from fhir_mappings.cohorts.builder import CohortBuilder, Patient
from fhir_mappings.cohorts.columns import Coded, Number, names, put_codes, put_numbers
from fhir_mappings.cohorts.receptors import her2_level, receptor_percentage
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from fhir_mappings.cohorts.staging import category, distant_metastasis
from fhir_mappings.cohorts.subsites import colon_topography
from fhir_mappings.histology import colon_right_sided, histology_flags, oropharynx

SMOKING = {"1": 0, "2": 2, "3": 1, "4": 1, "5": 1}  # never; current; former by three definitions
YES_NO = {"yes": 1, "no": 0}
RESIDUAL = {"r0": 0, "r1": 1, "r2": 2}
EXTRANODAL = {"no extranodal extension": 0, "microscopic extension": 1, "gross extension": 1}
HPV_TEST = {"positive": 1, "negative": 0}
COLORECTAL, HEAD_NECK, MELANOMA = ("COAD", "READ"), ("HNSC",), "SKCM"

# column, key, unit: numbers that are taken as they stand.
NUMBERS: tuple[Number, ...] = (
    ("height_cm", "vital_height", "cm"),
    ("weight_kg", "vital_weight", "kg"),
    ("lymph_node_examined_count", "path_nodes_examined", None),
    ("lymph_nodes_positive_he", "path_nodes_positive", None),
    ("tumour_size_mm", "path_tumour_size", "mm"),
    ("breslow_mm", "path_breslow", "mm"),
    ("cea_ng_ml", "lab_cea", "ng/mL"),
    ("ca19_9", "lab_ca19_9", "U/mL"),
    ("afp_ng_ml", "lab_afp", "ng/mL"),
    ("inr", "lab_inr", None),
    ("albumin_g_dl", "lab_albumin", "g/dL"),
    ("bilirubin_total_mg_dl", "lab_bilirubin_total", "mg/dL"),
    ("creatinine_mg_dl", "lab_creatinine", "mg/dL"),
    ("platelets_10e9_L", "lab_platelets", "10*9/L"),
)
# Markers of germ cell tumours count only if drawn before the testis was removed.
BEFORE_ORCHIECTOMY: tuple[Number, ...] = (
    ("pre_orchi_afp", "lab_afp", "ng/mL"),
    ("pre_orchi_ldh", "lab_ldh", "U/L"),
    ("pre_orchi_hcg", "lab_beta_hcg", "m[IU]/mL"),
)
CODES: tuple[Coded, ...] = (
    ("tobacco_smoking_history", "func_smoking_status", SMOKING),
    ("residual_tumor", "path_residual_status", RESIDUAL),
    ("lymphatic_invasion", "path_lymphatic_invasion", YES_NO),
    ("venous_invasion", "path_venous_invasion", YES_NO),
    ("perineural_invasion", "path_perineural_invasion", YES_NO),
    ("ulceration", "path_ulceration", YES_NO),
    ("history_of_diabetes", "comorb_diabetes", YES_NO),
)
OTHERS = (
    "bcr_patient_barcode", "ecog", "karnofsky", "performance_status_baseline", "pack_years", "pathologic_t",
    "pathologic_n", "pathologic_m", "clinical_t", "clinical_n", "clinical_m", "er_status", "er_percent_category",
    "pr_status", "pr_percent_category", "her2_ihc_status", "her2_ihc_level", "her2_fish", "gleason_primary",
    "gleason_secondary", "extracapsular_spread", "p16", "hpv_ish", "icd_o_3_site", "icd_o_3_histology",
    "anatomic_subdivision", "days_to_submitted_specimen_dx", "days_to_pre_orchi_serum_test",
)  # fmt: skip
COLUMNS = OTHERS + names(NUMBERS, BEFORE_ORCHIECTOMY, CODES)


def add_enrolment_form(build: CohortBuilder, path: Path, acronyms: Mapping[str, str]) -> None:
    """Add the form's parameters to the patients who are in the cohort."""
    for row in read_rows(path, COLUMNS):
        patient = build.patients.get(row["bcr_patient_barcode"])
        if patient is None:
            continue
        put_numbers(build, patient, row, NUMBERS)
        put_codes(build, patient, row, CODES)
        _add_function(build, patient, row)
        _add_stage(build, patient, row)
        _add_pathology(build, patient, row, acronyms[patient.id])
        if acronyms[patient.id] == MELANOMA:
            _delay_entry(build, patient, number(row, "days_to_submitted_specimen_dx"))
        if (number(row, "days_to_pre_orchi_serum_test") or 0) <= 0:
            put_numbers(build, patient, row, BEFORE_ORCHIECTOMY)


def _add_function(build: CohortBuilder, patient: Patient, row: Row) -> None:
    never = SMOKING.get(row["tobacco_smoking_history"]) == 0
    build.put(patient, "func_pack_years", 0 if never else number(row, "pack_years"))
    if row["performance_status_baseline"] != "1":
        return
    karnofsky = number(row, "karnofsky")
    stated = [number(row, "ecog"), formulas.ecog_of_karnofsky(karnofsky) if karnofsky is not None else None]
    build.put(patient, "func_ecog", max((grade for grade in stated if grade is not None), default=None))


def _add_stage(build: CohortBuilder, patient: Patient, row: Row) -> None:
    """Pathological before clinical; an X of the pathologist leaves the word to the clinician."""
    for letter, key in (("t", "stage_t_category"), ("n", "stage_n_category")):
        stated = category(row[f"pathologic_{letter}"], letter), category(row[f"clinical_{letter}"], letter)
        build.put(patient, key, stated[0] if stated[0] is not None else stated[1])
    metastasis = distant_metastasis(row["pathologic_m"])
    build.put(patient, "stage_m1", distant_metastasis(row["clinical_m"]) if metastasis is None else metastasis)


def _add_pathology(build: CohortBuilder, patient: Patient, row: Row, acronym: str) -> None:
    build.put(patient, "path_er", receptor_percentage(row["er_status"], row["er_percent_category"]))
    build.put(patient, "path_pr", receptor_percentage(row["pr_status"], row["pr_percent_category"]))
    build.put(patient, "path_her2", her2_level(row["her2_ihc_status"], row["her2_ihc_level"], row["her2_fish"]))
    if row["gleason_primary"] and row["gleason_secondary"]:
        patterns = int(row["gleason_primary"]), int(row["gleason_secondary"])
        build.put(patient, "path_gleason_isup", formulas.isup_of_gleason(*patterns))
    build.put(patient, "path_extranodal_extension", _extranodal_extension(patient, row))
    site = row["icd_o_3_site"]
    for key, flag in histology_flags(row["icd_o_3_histology"], site).items():
        build.put(patient, key, flag)
    if acronym in HEAD_NECK:
        build.put(patient, "path_oropharynx", oropharynx(site))
        if oropharynx(site) == 1:
            build.put(patient, "path_p16_hpv", _p16_or_hpv(row))
    if acronym in COLORECTAL:
        side = colon_right_sided(site)
        if side is None:  # "colon, NOS" (C18.9): the form's own subdivision tells the side
            side = colon_right_sided(colon_topography(row["anatomic_subdivision"]))
        build.put(patient, "path_colon_right_sided", side)


def _extranodal_extension(patient: Patient, row: Row) -> int | None:
    """None without positive nodes: there "no extension" only repeats N0."""
    extension = EXTRANODAL.get(row["extracapsular_spread"])
    positive = patient.values.get("path_nodes_positive", 0) > 0 or patient.values.get("stage_n_category", 0) > 0
    return extension if extension == 1 or positive else None


def _p16_or_hpv(row: Row) -> int | None:
    tests = [HPV_TEST[row[column]] for column in ("p16", "hpv_ish") if row[column] in HPV_TEST]
    return max(tests, default=None)


def _delay_entry(build: CohortBuilder, patient: Patient, days: float | None) -> None:
    """Melanoma samples were often taken at a metastasis years later: who died before could not enter."""
    patient.entry = max(0.0, days or 0.0)
    if patient.entry >= patient.time and patient.entry > 0:
        del build.patients[patient.id]
        build.excluded["no follow-up after the specimen"] += 1
