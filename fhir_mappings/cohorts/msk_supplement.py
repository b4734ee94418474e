"""Ten smaller MSK studies of patients who are in MSK-MET: receptors, stage, grade, mismatch repair, course (ODbL 1.0).

The clock starts at sequencing: first metastatic sites and the course count only where the metastasis was known by then
(one TIME_FROM_MET_DX_SEQUENCING is -1,366). Stage is that of the diagnosis. PRIMARY_TUMOR_LOCATION is not read: it
counts the rectum as left.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from fhir_mappings import formulas
from fhir_mappings.cohorts.builder import CohortBuilder, Patient
from fhir_mappings.cohorts.columns import YES_NO, Coded, Number, names, put_codes, put_numbers
from fhir_mappings.cohorts.receptors import POSITIVE_WITHOUT_NUMBER, her2_level
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from fhir_mappings.cohorts.staging import stage_group
from fhir_mappings.cohorts.subsites import colon_topography
from fhir_mappings.histology import colon_right_sided

RECEPTOR: Mapping[str, float] = {"Positive": POSITIVE_WITHOUT_NUMBER, "Negative": 0}
STAGES = ("STAGE_BREAST", "STAGE_CRC", "STAGE_LUNG", "STAGE_EGC")
GLEASON = {"<7": 1, "3+4": 2, "4+3": 3, "8": 4, "9-10": 5}
LATER_MONTHS = 6  # beyond it a metastasis is metachronous

NUMBERS: tuple[Number, ...] = (
    ("LINES_OF_TX_PRIOR_IMPACT", "tx_prior_regimens", None),
    ("PDL1_SCORE", "path_pdl1_tps", "%"),
)
MISMATCH_REPAIR: tuple[tuple[str, Mapping[str, int]], ...] = (
    ("IHC_RESULT", {"MMR-D": 1, "MMR-P": 0}),
    ("CRC_MSI_STATUS", {"MSI": 1, "MSS": 0}),
    ("PRAD_MSI_TYPE", {"Stable": 0}),
)
FIRST_SITES: tuple[Coded, ...] = (
    ("METASTASES_SITE_FIRST_LIVER", "stage_met_liver", YES_NO),
    ("METASTASES_SITE_FIRST_LUNG", "stage_met_lung", YES_NO),
    ("METASTASES_SITE_FIRST_BRAIN", "stage_met_brain", YES_NO),
    ("METASTASES_SITE_FIRST_BONE", "stage_met_bone", YES_NO),
    ("METASTASES_SITE_FIRST_PERITONEUM_OMENTUM_ABDOMEN", "stage_met_peritoneum", YES_NO),
)
COURSE: Coded = ("DENOVO_METASTATSIS", "stage_metachronous", {"De-novo metastatic": 0, "Metastatic recurrence": 1})
OTHERS = (
    "PATIENT_ID", "ER_PCT_PRIMARY", "ER_STATUS_PRIMARY", "ER_STATUS", "PR_PCT_PRIMARY", "PR_STATUS_PRIMARY",
    "PR_STATUS", "HER2_IHC_VALUE_PRIMARY", "HER2_FISH_STATUS", "OVERALL_HER2_STATUS", "EGC_HER2_IHC", "EGC_HER2",
    "STAGE_4_DX", "OVERALL_TUMOR_GRADE", "BIOPSY_GLEASON_SCORE", "CLINICAL_GLEASON", "CRC_PRIMARY_SITE",
    "TIME_FROM_MET_DX_SEQUENCING", "TIME_TO_METASTASIS_MONTHS", "NGS_SAMPLE_COLLECTION_TIME",
    "INVASIVE_CARCINOMA_DX_TIME", *STAGES, *(column for column, _ in MISMATCH_REPAIR),
)  # fmt: skip
COLUMNS = OTHERS + names(NUMBERS, FIRST_SITES, (COURSE,))


def add_supplement(build: CohortBuilder, path: Path) -> None:
    """Add the parameters to the patients who are in the cohort."""
    for row in read_rows(path, COLUMNS):
        patient = build.patients.get(row["PATIENT_ID"])
        if patient:
            put_numbers(build, patient, row, NUMBERS)
            _add_pathology(build, patient, row)
            _add_course(build, patient, row)


def _add_pathology(build: CohortBuilder, patient: Patient, row: Row) -> None:
    for receptor, key in (("ER", "path_er"), ("PR", "path_pr")):
        statuses = row[f"{receptor}_STATUS_PRIMARY"], row[f"{receptor}_STATUS"]
        build.put(patient, key, receptor_share(row[f"{receptor}_PCT_PRIMARY"], statuses))
    build.put(patient, "path_her2", her2(row))
    stages = [stage_group(row[column]) for column in STAGES]
    stages += [4 if row["STAGE_4_DX"] == "Yes" else None]
    build.put(patient, "stage_uicc_stage", next((stage for stage in stages if stage is not None), None))
    build.put(patient, "stage_grade", stage_group(row["OVERALL_TUMOR_GRADE"].split(" ")[0]))
    build.put(patient, "path_gleason_isup", _grade_group(row))
    repair = [results[row[column]] for column, results in MISMATCH_REPAIR if row[column] in results]
    build.put(patient, "gene_msi_high", max(repair, default=None))  # a lost protein or unstable: either is enough
    build.fill(patient, "path_colon_right_sided", colon_right_sided(colon_topography(row["CRC_PRIMARY_SITE"])))


def _add_course(build: CohortBuilder, patient: Patient, row: Row) -> None:
    diagnosed, sampled = number(row, "INVASIVE_CARCINOMA_DX_TIME"), number(row, "NGS_SAMPLE_COLLECTION_TIME")
    if diagnosed is not None and sampled is not None:  # months of age; the biopsy may precede the diagnosis by days
        build.put(patient, "stage_months_since_diagnosis", max(sampled - diagnosed, 0.0))
    known_for = number(row, "TIME_FROM_MET_DX_SEQUENCING")
    if known_for is not None and known_for >= 0:
        build.put(patient, "stage_m1", 1)  # a dated metastasis beats the main table's silence
        put_codes(build, patient, row, FIRST_SITES)
        months = number(row, "TIME_TO_METASTASIS_MONTHS")
        build.put(patient, "stage_metachronous", None if months is None else int(months > LATER_MONTHS))
    if patient.values.get("stage_m1") == 1:
        put_codes(build, patient, row, (COURSE,))


def receptor_share(share: str, statuses: tuple[str, ...]) -> float | None:
    """Percentage of stained cells: the number ("1 (weak intensity)" is 1, ">60" is 60), else 50 or 0 by the status."""
    stated = re.match(r">?(\d+(?:\.\d+)?)", share)
    if stated:
        return float(stated[1])
    return next((RECEPTOR[status] for status in statuses if status in RECEPTOR), None)


def her2(row: Row) -> int | None:
    """HER2 of breast cancer, else of gastro-oesophageal cancer, by the rule of the enrolment forms."""
    level, in_situ = _stain(row["HER2_IHC_VALUE_PRIMARY"]), row["HER2_FISH_STATUS"].lower()
    breast = her2_level(row["OVERALL_HER2_STATUS"].lower(), level, in_situ)
    if breast is not None:
        return breast
    status, level = {"POS": "positive", "NEG": "negative"}.get(row["EGC_HER2"], ""), _stain(row["EGC_HER2_IHC"])
    return her2_level(status, level, status if level == "2+" else "")  # a 2+ was decided by in-situ hybridisation


def _stain(cell: str) -> str:
    """The level of "IHC 2+", "1+ (focal)" and "0-1+" (the higher); what lies outside of the primary does not count."""
    stated = re.findall(r"(\d)\+", cell.split("(", maxsplit=1)[0])
    return "" if not stated else "0" if stated[-1] == "0" else f"{stated[-1]}+"


def _grade_group(row: Row) -> int | None:
    biopsy = GLEASON.get(row["BIOPSY_GLEASON_SCORE"])
    total = number(row, "CLINICAL_GLEASON")
    return formulas.isup_of_gleason_sum(int(total)) if biopsy is None and total is not None else biopsy
