"""SUPPORT2: seriously ill in-patients of five American hospitals from study entry (CC BY 4.0).

All 9,105 are written. Those with cancer (`ca` yes or metastatic) are the cohort `support2`; those without have no
entity and are the cohort `support2_without_cancer`, so that they get a baseline hazard of their own. Gaps were left
open by the authors and stay missing (0 of a pulse, a breathing rate, a glucose is a gap; a mean pressure below 25 too).
Not read: the study's own predictions and scores (surv2m, surv6m, prg2m, prg6m, sps, aps, avtisst), what is known only
after entry (dnr, dnrday, slos, hospdead, hday, charges, totcst, totmcst, sfdm2), adlsc, whose gaps were filled, and
edu, income. surv2m, surv6m, prg2m and prg6m stand beside the cohort file (FILE.published.csv) as comparators.
"""

from collections.abc import Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder, Patient
from fhir_mappings.cohorts.columns import (
    FEMALE,
    YES_NO,
    Coded,
    Number,
    names,
    outcome,
    put_age,
    put_codes,
    put_numbers,
)
from fhir_mappings.cohorts.entity_names import entities_named
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from models.features import FeatureSchema
from models.training.race import Race

CANCER, WITHOUT_CANCER = "support2", "support2_without_cancer"
METASTATIC = {"metastatic": 1, "yes": 0}  # "no" is no cancer, not M0
RACE: Mapping[str, Race] = {
    "white": "white", "black": "black", "hispanic": "hispanic", "asian": "asian", "other": "other",
}  # fmt: skip

NUMBERS: tuple[Number, ...] = (
    ("meanbp", "vital_map", "mm[Hg]"),
    ("hrt", "vital_heart_rate", "/min"),
    ("resp", "vital_resp_rate", "/min"),
    ("temp", "vital_temperature", "Cel"),
    ("wblc", "lab_wbc", "10*3/uL"),
    ("sod", "lab_sodium", "mmol/L"),
    ("crea", "lab_creatinine", "mg/dL"),
    ("bun", "lab_urea_nitrogen", "mg/dL"),
    ("glucose", "lab_glucose", "mg/dL"),
    ("alb", "lab_albumin", "g/dL"),
    ("bili", "lab_bilirubin_total", "mg/dL"),
    ("ph", "lab_ph_blood", "[pH]"),
    ("pafi", "lab_pf_ratio", "mm[Hg]"),
    ("urine", "func_urine_output", "mL/d"),
    ("num.co", "comorb_count", None),
)
CODES: tuple[Coded, ...] = (
    ("diabetes", "comorb_diabetes", YES_NO),
    ("dementia", "comorb_dementia", YES_NO),
)
OTHERS = ("sno", "age", "sex", "race", "ca", "dzgroup", "death", "d.time", "scoma", "adlp", "adls")
COLUMNS = OTHERS + names(NUMBERS, CODES)


def build_support2(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, CANCER, "acute")
    for row in read_rows(folder / "support2.csv.gz", COLUMNS):
        has_cancer = row["ca"] in METASTATIC
        entity = entities_named("support2").get(row["dzgroup"], "") if has_cancer else ""
        known = outcome(row, "d.time", 1, "death", {"0": False, "1": True})
        patient = build.add_row(row, "sno", entity, known, CANCER if has_cancer else WITHOUT_CANCER)
        if patient:
            _add_values(build, patient, row)
    return build.build()


def _add_values(build: CohortBuilder, patient: Patient, row: Row) -> None:
    patient.race = RACE.get(row["race"])
    put_age(build, patient, number(row, "age"))
    build.put(patient, "demo_sex_female", FEMALE.get(row["sex"]))
    build.put(patient, "stage_m1", METASTATIC.get(row["ca"]))
    put_numbers(build, patient, row, NUMBERS)
    put_codes(build, patient, row, CODES)
    told = number(row, "adlp")
    build.put(patient, "func_adl_dependencies", number(row, "adls") if told is None else told)
    build.put(patient, "func_gcs", glasgow_of_coma_score(number(row, "scoma")))


def glasgow_of_coma_score(score: float | None) -> int | None:
    """Glasgow Coma Scale (15 to 3) of SUPPORT's coma score (0 to 100, eleven values).

    Assumed, not published: a straight line between the two ends, which keeps the order; to be confirmed.
    """
    return None if score is None else round(15 - 12 * score / 100)
