"""UCSF-PDGM: glioma from the MRI before surgery, San Francisco (CC BY 4.0; Calabrese et al. 2022).

Six rows repeat another one in everything but the number: second examinations of one patient, unmarked; the first is
kept. One patient has no time. EOR (extent of resection) lies after the MRI and is not read; MGMT index has no
parameter.
"""

import re
from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort, CohortBuilder, Patient
from fhir_mappings.cohorts.columns import FEMALE, Coded, names, outcome, put_age, put_codes
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from fhir_mappings.genes import Effect, gene_effect
from models.features import FeatureSchema

DIAGNOSIS, STATUS = "Final pathologic diagnosis (WHO 2021)", "1-dead 0-alive"
GLIOBLASTOMA = "Glioblastoma, IDH-wildtype"
SECOND_EXAMINATION = "second examination of a patient"
IDH_GENES = {"IDH1": "gene_idh1", "IDH2": "gene_idh2"}

CODES: tuple[Coded, ...] = (
    ("MGMT status", "gene_mgmt_methylated", {"positive": 1, "negative": 0}),  # indeterminate is missing
    ("1p/19q", "gene_1p19q_codeletion", {"co-deletion": 1, "Co-deletion": 1, "intact": 0}),  # relative is missing
    ("WHO CNS Grade", "stage_grade", {"2": 2, "3": 3, "4": 4}),
)
OTHERS = ("ID", "Sex", "Age at MRI", DIAGNOSIS, "IDH", STATUS, "OS")
COLUMNS = OTHERS + names(CODES)


def build_ucsf_pdgm(folder: Path, schema: FeatureSchema) -> BuiltCohort:
    """The cohort from the table in `folder`. Raises SourceError naming the file that is not right."""
    build = CohortBuilder(schema, "ucsf_pdgm", "diagnosis")
    seen: set[tuple[str, ...]] = set()
    for row in read_rows(folder / "ucsf_pdgm.csv.gz", COLUMNS):
        rest = tuple(cell for column, cell in row.items() if column != "ID")
        if rest in seen:
            build.excluded[SECOND_EXAMINATION] += 1
            continue
        seen.add(rest)
        entity = "entity_glioblastoma" if row[DIAGNOSIS] == GLIOBLASTOMA else "entity_other_cns"
        patient = build.add_row(row, "ID", entity, outcome(row, "OS", 1, STATUS, {"0": False, "1": True}))
        if patient:
            _add_values(build, patient, row)
    return build.build()


def _add_values(build: CohortBuilder, patient: Patient, row: Row) -> None:
    put_age(build, patient, number(row, "Age at MRI"))
    build.put(patient, "demo_sex_female", FEMALE.get(row["Sex"].lower()))
    put_codes(build, patient, row, CODES)
    for key, value in idh(row["IDH"]).items():
        build.put(patient, key, value)


def idh(cell: str) -> dict[str, int]:
    """Both genes by the gene rule; "mutated (NOS)" does not say which gene and leaves both missing."""
    if cell == "wildtype":
        return dict.fromkeys(IDH_GENES.values(), 0)
    named = re.fullmatch(r"(IDH[12]) (p\.\w+)", cell)
    if not named or gene_effect(named[1], named[2]) is not Effect.PATHOGENIC:
        return {}
    return {key: int(symbol == named[1]) for symbol, key in IDH_GENES.items()}
