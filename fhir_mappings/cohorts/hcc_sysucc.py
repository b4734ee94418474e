"""SYSUCC: hepatocellular carcinoma at the first visit, Guangzhou (MIT, SurvivalPath; Shen et al. 2018).

The authors filled gaps with a forest and did not mark them; there is no sex. AFP is capped at 121,000 ng/mL. Eight
patients died or were lost on the first day. Child_pugh_score, number of lesions, vascular invasion and local lymph
nodes have no parameter here; YEAR is no input.
"""

from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder
from fhir_mappings.cohorts.columns import YES_NO, Coded, Number, names, outcome, put_age, put_codes, put_numbers
from fhir_mappings.cohorts.source_tables import number, read_rows
from models.features import FeatureSchema

LESION = "Largest.Diameter.of.Hepatic.Lesions"

NUMBERS: tuple[Number, ...] = (("AFP", "lab_afp", "ng/mL"),)
CODES: tuple[Coded, ...] = (("Distant.Metastasis", "stage_m1", YES_NO),)
OTHERS = ("ROW", "Age", LESION, "Status_of_death", "OStime_day")
COLUMNS = OTHERS + names(NUMBERS, CODES)


def build_hcc_sysucc(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "hcc_sysucc", "diagnosis")
    for row in read_rows(folder / "hcc_sysucc.csv.gz", COLUMNS):
        known = outcome(row, "OStime_day", 1, "Status_of_death", {"0": False, "1": True})
        patient = build.add_row(row, "ROW", "entity_hepatocellular", known)
        if patient:
            put_age(build, patient, number(row, "Age"))
            put_numbers(build, patient, row, NUMBERS)
            put_codes(build, patient, row, CODES)
            build.put(patient, "img_largest_lesion", number(row, LESION) or None, "mm")  # 0 is "not measured"
    return build.build()
