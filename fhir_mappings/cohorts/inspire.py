"""INSPIRE: pembrolizumab in five groups of tumours from the start of treatment, Toronto (MIT, reportRmd; Bratman 2020).

The rows serve evaluation only. Group E is a mixture without an entity. Not read: pdl1 (no tumour proportion score), tmb
(a logarithm without a stated base) and baseline_ctdna (no parameter).
"""

from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder
from fhir_mappings.cohorts.columns import (
    DAYS_PER_MONTH,
    FEMALE,
    Number,
    names,
    outcome,
    put_age,
    put_numbers,
)
from fhir_mappings.cohorts.source_tables import number, read_rows
from models.features import FeatureSchema

GROUPS = {"A": "entity_head_neck", "B": "entity_breast", "C": "entity_ovary", "D": "entity_melanoma"}

NUMBERS: tuple[Number, ...] = (("l_size", "img_recist_sum", "mm"),)
COLUMNS = ("row", "age", "sex", "cohort", "os_status", "os_time", *names(NUMBERS))


def build_inspire(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "inspire", "metastatic")
    for row in read_rows(folder / "inspire.csv.gz", COLUMNS):
        known = outcome(row, "os_time", DAYS_PER_MONTH, "os_status", {"0": False, "1": True})
        patient = build.add_row(row, "row", GROUPS.get(row["cohort"], ""), known)
        if patient:
            put_age(build, patient, number(row, "age"))
            build.put(patient, "demo_sex_female", FEMALE.get(row["sex"].lower()))
            put_numbers(build, patient, row, NUMBERS)
    return build.build()
