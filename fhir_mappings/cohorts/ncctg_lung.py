"""NCCTG: advanced lung cancer from entry into a trial (MIT, lifelines; Loprinzi et al. 1994).

The setting is metastatic, but the rows serve evaluation and the borrowed ECOG only. The histology is not stated:
non-small cell lung cancer is assumed. Not read: pat.karno (the patient's own view), meal.cal, and wt.loss (pounds,
without a body weight). The table has no identifier: a patient is the number of the row.
"""

from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder
from fhir_mappings.cohorts.columns import Coded, Number, names, outcome, put_age, put_codes, put_numbers
from fhir_mappings.cohorts.source_tables import number, read_rows
from models.features import FeatureSchema

NUMBERS: tuple[Number, ...] = (("ph.ecog", "func_ecog", None),)
CODES: tuple[Coded, ...] = (("sex", "demo_sex_female", {"1": 0, "2": 1}),)
COLUMNS = ("time", "status", "age", *names(NUMBERS, CODES))


def build_ncctg_lung(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "ncctg_lung", "metastatic")
    for row in read_rows(folder / "ncctg_lung.csv.gz", COLUMNS):
        known = outcome(row, "time", 1, "status", {"0": False, "1": True})
        patient = build.add_numbered_row(row, "entity_nsclc", known)
        if patient:
            put_age(build, patient, number(row, "age"))
            put_numbers(build, patient, row, NUMBERS)
            put_codes(build, patient, row, CODES)
    return build.build()
