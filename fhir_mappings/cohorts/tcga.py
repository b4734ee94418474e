"""TCGA: 32 solid tumour types at diagnosis, from five tables.

Left out: blood cancers (LAML, DLBC), redacted rows, samples other than primary and metastatic tumours, patients
without status or time. Nothing of the follow-up is read but the outcome.
"""

from collections.abc import Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder
from fhir_mappings.cohorts.columns import put_age
from fhir_mappings.cohorts.entity_names import entities_named
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from fhir_mappings.cohorts.staging import grade, stage_group
from fhir_mappings.cohorts.tcga_enrolment import add_enrolment_form
from fhir_mappings.cohorts.tcga_publications import add_publications
from fhir_mappings.cohorts.tcga_variants import add_variants
from models.features import FeatureSchema
from models.training.race import Race

BLOOD_CANCERS = ("LAML", "DLBC")
TUMOUR_SAMPLES = ("Primary Solid Tumor", "Metastatic")  # in order of preference
GLIOMAS = ("LGG", "GBM")
RACE: Mapping[str, Race] = {
    "White": "white",
    "Black Or African American": "black",
    "Asian": "asian",
    "American Indian Or Alaska Native": "american_indian",
    "Native Hawaiian Or Other Pacific Islander": "pacific_islander",
}  # [Unknown] and [Not Evaluated] are missing
MSI_MANTIS, MSI_SENSOR = 0.4, 10  # above: unstable (cohort table of the catalogue)

SAMPLES = (
    "sample_id", "patient_id", "acronym", "age_diagnosed", "gender", "race", "ajcc_stage", "clinical_stage",
    "histological_grade", "dead", "days_survived", "Redaction", "sample_type",
)  # fmt: skip
CLINICAL_SAMPLES = (
    "PATIENT_ID", "SAMPLE_ID", "GRADE", "ANEUPLOIDY_SCORE", "STATUS_1P", "STATUS_19Q", "MSI_SCORE_MANTIS",
    "MSI_SENSOR_SCORE", "TMB_NONSYNONYMOUS",
)  # fmt: skip


def build_tcga(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the tables in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "tcga", "diagnosis")
    acronyms = _add_patients(build, folder / "samples.tsv.gz")
    _add_clinical_samples(build, folder / "data_clinical_sample.tsv.gz", acronyms)
    erbb2 = add_variants(build, folder)
    add_enrolment_form(build, folder / "clinical_bcr_2016_01_28.csv.gz", acronyms)
    add_publications(build, folder / "molecular_publications.csv.gz", acronyms, erbb2)
    return build.build()


def entity_of_acronym() -> Mapping[str, str]:
    """TCGA's study names -> entity, from the catalogue."""
    return entities_named("tcga")


def _add_patients(build: CohortBuilder, path: Path) -> dict[str, str]:
    """One patient per id; returns their study names."""
    by_patient: dict[str, list[Row]] = {}
    for row in read_rows(path, SAMPLES):
        by_patient.setdefault(row["patient_id"], []).append(row)
    acronyms = {}
    for patient_id, rows in by_patient.items():
        reason = _reason_to_exclude(rows)
        if reason:
            build.excluded[reason] += 1
            continue
        _add_patient(build, _tumour_sample(rows))
        acronyms[patient_id] = rows[0]["acronym"]
    return acronyms


def _reason_to_exclude(rows: list[Row]) -> str:
    if rows[0]["acronym"] in BLOOD_CANCERS:
        return "blood cancer"
    if any(row["Redaction"] for row in rows):
        return "redacted"
    if not any(row["sample_type"] in TUMOUR_SAMPLES for row in rows):
        return "no sample of a primary or metastatic tumour"
    return "" if rows[0]["dead"] and rows[0]["days_survived"] else "no status or time"


def _tumour_sample(rows: list[Row]) -> Row:
    kept = [row for row in rows if row["sample_type"] in TUMOUR_SAMPLES]
    return min(kept, key=lambda row: TUMOUR_SAMPLES.index(row["sample_type"]))


def _add_patient(build: CohortBuilder, row: Row) -> None:
    days = number(row, "days_survived") or 0.0
    entity = entity_of_acronym()[row["acronym"]]
    patient = build.add(row["patient_id"], entity, days, row["dead"] == "1")
    patient.race = RACE.get(row["race"])
    put_age(build, patient, number(row, "age_diagnosed"))
    build.put(patient, "demo_sex_female", {"Female": 1, "Male": 0}.get(row["gender"]))
    build.put(patient, "stage_uicc_stage", stage_group(row["ajcc_stage"] or row["clinical_stage"]))
    build.put(patient, "stage_grade", grade(row["histological_grade"]))


def _add_clinical_samples(build: CohortBuilder, path: Path, acronyms: Mapping[str, str]) -> None:
    """Molecular summaries of the tumour. Gliomas stand twice, from two studies, each with its own gaps."""
    for row in sorted(read_rows(path, CLINICAL_SAMPLES), key=lambda row: row["SAMPLE_ID"]):  # 01 before 06
        patient = build.patients.get(row["PATIENT_ID"])
        if patient is None or row["SAMPLE_ID"][-2:] not in ("01", "06"):
            continue
        build.fill(patient, "stage_grade", grade(row["GRADE"]))
        build.fill(patient, "gene_tmb", number(row, "TMB_NONSYNONYMOUS"))
        build.fill(patient, "gene_aneuploidy_score", number(row, "ANEUPLOIDY_SCORE"))
        build.fill(patient, "gene_msi_high", _msi_high(row))
        if acronyms[patient.id] in GLIOMAS:
            build.fill(patient, "gene_1p19q_codeletion", _codeleted(row))


def _msi_high(row: Row) -> int | None:
    mantis, sensor = number(row, "MSI_SCORE_MANTIS"), number(row, "MSI_SENSOR_SCORE")
    if mantis is None and sensor is None:
        return None
    return int((mantis or 0) > MSI_MANTIS or (sensor or 0) > MSI_SENSOR)


def _codeleted(row: Row) -> int | None:
    """1 with both arms lost, 0 as soon as one arm is known not to be lost, whatever is known of the other."""
    arms = [row[column] for column in ("STATUS_1P", "STATUS_19Q") if row[column]]
    if any(arm != "Lost" for arm in arms):
        return 0
    return 1 if len(arms) == 2 else None
