"""MSK-MET: 25,000 patients with solid tumours from the sequencing of a sample on (ODbL 1.0).

Metastasis counts only if it was known at sequencing: what is dated later is the future. The cancer type comes from the
ONCOTREE_CODE of the 2017 study, else of 2023, else from CANCER_TYPE; the ONCOTREE_CODE of 2020 and CANCER_TYPE_DETAILED
of 2020 and 2023 are placeholders. Not read: AGE_AT_DEATH and AGE_AT_LAST_CONTACT (the outcome), AGE_AT_SURGERY.
"""

from collections.abc import Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder, Patient
from fhir_mappings.cohorts.columns import DAYS_PER_MONTH, FEMALE, outcome, put_age
from fhir_mappings.cohorts.entity_names import entities_named
from fhir_mappings.cohorts.msk_genes import add_fusions_and_variants
from fhir_mappings.cohorts.msk_supplement import add_supplement
from fhir_mappings.cohorts.oncotree import MORPHOLOGY
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from fhir_mappings.cohorts.subsites import colon_topography, head_and_neck_topography
from fhir_mappings.histology import colon_right_sided, histology_flags, oropharynx
from models.features import FeatureSchema
from models.training.race import Race

STUDIES = ("msk_impact_2017", "msk_ch_2023", "msk_ch_2020")  # in the order in which they are believed
CODED_STUDIES = STUDIES[:2]
SAME_TIME = 0.05  # years: ages are rounded, and a biopsy of the metastasis is what gets sequenced
MONTHS = 12

PATIENTS = ("PATIENT_ID", "SEX", "RACE", "OS_MONTHS", "OS_STATUS", "AGE_AT_EVIDENCE_OF_METS", "AGE_AT_SEQUENCING")
SAMPLES = ("PATIENT_ID", "SAMPLE_ID", "ONCOTREE_CODE", "CANCER_TYPE", "PRIMARY_SITE", "TMB_NONSYNONYMOUS", "STUDY")

RACE: Mapping[str, Race] = {
    "White": "white",
    "Black or african american": "black",
    "Asian-far east/indian subcont": "asian",
    "Native american-am ind/alaska": "american_indian",
    "Native hawaiian or pacific isl": "pacific_islander",
    "Other": "other",
}  # "Pt refused to answer", "No value entered" and "Unknown" are missing
SUBSITE_OF_CODE: Mapping[str, str] = {"OPHSC": "oropharynx", "OCSC": "oral cavity"}  # where the site is "tongue"


def build_msk_met(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the tables in `folder` and in `msk_supplement` beside it.

    Raises SourceError naming the file that is not right.
    """
    build = CohortBuilder(schema, "msk_met", "metastatic")
    sequenced = {row["SAMPLE_ID"] for row in read_rows(folder / "data_gene_panel_matrix.txt.gz", ("SAMPLE_ID",))}
    samples = _samples(folder / "data_clinical_sample.tsv.gz", sequenced)
    for row in read_rows(folder / "data_clinical_patient.txt.gz", PATIENTS):
        own = samples.get(row["PATIENT_ID"], [])
        dead = {"0:LIVING": False, "1:DECEASED": True}
        known = outcome(row, "OS_MONTHS", DAYS_PER_MONTH, "OS_STATUS", dead)
        patient = build.add_row(row, "PATIENT_ID", entity_of_samples(own), known)
        if patient:
            _add_patient(build, patient, row)
            _add_samples(build, patient, own)
    add_fusions_and_variants(build, folder, sequenced)
    add_supplement(build, folder.parent / "msk_supplement" / "msk_supplement.csv.gz")
    return build.build()


def _samples(path: Path, sequenced: set[str]) -> dict[str, list[Row]]:
    """Sample rows by patient: the best study first, and in it the sample that time zero is the sequencing of."""
    found: dict[str, list[Row]] = {}
    for row in read_rows(path, SAMPLES):
        if row["STUDY"] not in STUDIES:
            raise row.wrong("STUDY", "is not one of the three studies")
        found.setdefault(row["PATIENT_ID"], []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (STUDIES.index(row["STUDY"]), row["SAMPLE_ID"] not in sequenced, row["SAMPLE_ID"]))
    return found


def entity_of_samples(rows: list[Row]) -> str:
    """The entity of the first code that names one, else of the first CANCER_TYPE that does; "" where none does."""
    codes = [row["ONCOTREE_CODE"] for row in rows if row["STUDY"] in CODED_STUDIES]
    found = [entities_named("oncotree")[code] for code in codes if code in entities_named("oncotree")]
    types = [row["CANCER_TYPE"] for row in rows]
    found += [entities_named("msk_met")[name] for name in types if name in entities_named("msk_met")]
    return found[0] if found else ""


def _add_patient(build: CohortBuilder, patient: Patient, row: Row) -> None:
    patient.race = RACE.get(row["RACE"])
    age, metastasis = number(row, "AGE_AT_SEQUENCING"), number(row, "AGE_AT_EVIDENCE_OF_METS")
    put_age(build, patient, age)
    build.put(patient, "demo_sex_female", FEMALE.get(row["SEX"].lower()))
    if age is None:
        return
    known_years = None if metastasis is None else round(age - metastasis, 2)  # ages have two decimals
    if known_years is None or known_years < -SAME_TIME:
        build.put(patient, "stage_m1", 0)
    else:
        build.put(patient, "stage_m1", 1)
        build.put(patient, "stage_months_since_m1", max(known_years, 0.0) * MONTHS)


def _add_samples(build: CohortBuilder, patient: Patient, rows: list[Row]) -> None:
    codes = [row["ONCOTREE_CODE"] for row in rows if row["STUDY"] in CODED_STUDIES and row["ONCOTREE_CODE"]]
    if codes:
        for key, flag in histology_flags(MORPHOLOGY.get(codes[0], "")).items():
            build.put(patient, key, flag)
    for row in rows:
        build.fill(patient, "gene_tmb", number(row, "TMB_NONSYNONYMOUS"))
        if row["CANCER_TYPE"] == "Colorectal Cancer":
            build.fill(patient, "path_colon_right_sided", colon_right_sided(colon_topography(row["PRIMARY_SITE"])))
        if row["PRIMARY_SITE"] and patient.entity == "entity_head_neck":
            build.fill(patient, "path_oropharynx", _oropharynx(row))


def _oropharynx(row: Row) -> int | None:
    site = head_and_neck_topography(row["PRIMARY_SITE"])
    return oropharynx(site or head_and_neck_topography(SUBSITE_OF_CODE.get(row["ONCOTREE_CODE"], "")))
