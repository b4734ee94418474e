"""METABRIC: breast cancer at diagnosis, United Kingdom and Canada (ODbL 1.0).

529 of 2,509 patients have no follow-up. Benign, phyllodes and in-situ tumours (16) stay in the table without an entity.
There is no column for the sex. PR and HER2 are calls from expression and copy number, proxies of the stained share;
ER_STATUS is such a call too and differs from the stain in 128 patients: not read. Nor are NPI, INTCLUST,
CLAUDIN_SUBTYPE, THREEGENE (no parameter) and TMB_NONSYNONYMOUS (a panel of .76 Mb, below the 1 Mb of gene_tmb).
"""

from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder
from fhir_mappings.cohorts.columns import Coded, Number, names, outcome, put_age, put_codes, put_numbers
from fhir_mappings.cohorts.receptors import POSITIVE_WITHOUT_NUMBER
from fhir_mappings.cohorts.source_tables import number, read_rows
from models.features import FeatureSchema

NO_CARCINOMA = ("PHYL", "BENIGN", "DCIS")

NUMBERS: tuple[Number, ...] = (
    ("TUMOR_SIZE", "path_tumour_size", "mm"),
    ("LYMPH_NODES_EXAMINED_POSITIVE", "path_nodes_positive", None),
)
CODES: tuple[Coded, ...] = (
    ("ER_IHC", "path_er", {"pos": POSITIVE_WITHOUT_NUMBER, "neg": 0}),
    ("PR_STATUS", "path_pr", {"Positive": POSITIVE_WITHOUT_NUMBER, "Negative": 0}),
    ("HER2_STATUS", "path_her2", {"Positive": 2, "Negative": 0}),
    ("GRADE", "stage_grade", {"1": 1, "2": 2, "3": 3}),
    ("TUMOR_STAGE", "stage_uicc_stage", {"1": 1, "2": 2, "3": 3, "4": 4}),  # 0 is "not known"
)
OTHERS = ("PATIENT_ID", "AGE_AT_DIAGNOSIS", "HISTOLOGICAL_SUBTYPE", "OS_DAYS", "OS_EVENT")
COLUMNS = OTHERS + names(NUMBERS, CODES)


def build_metabric(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "metabric", "diagnosis")
    for row in read_rows(folder / "metabric.csv.gz", COLUMNS):
        entity = "" if row["HISTOLOGICAL_SUBTYPE"] in NO_CARCINOMA else "entity_breast"
        patient = build.add_row(
            row, "PATIENT_ID", entity, outcome(row, "OS_DAYS", 1, "OS_EVENT", {"0": False, "1": True})
        )
        if patient:
            put_age(build, patient, number(row, "AGE_AT_DIAGNOSIS"))
            put_numbers(build, patient, row, NUMBERS)
            put_codes(build, patient, row, CODES)
    return build.build()
