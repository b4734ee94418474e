"""Molecular tables of five TCGA publications: what the exomes cannot see, and what they lack.

A gene that an exome answered keeps that answer; the tables only fill gaps. Germline calls of the prostate paper are no
germline test of the catalogue and stay out.
"""

from collections.abc import Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import CohortBuilder
from fhir_mappings.cohorts.source_tables import Row, read_rows
from fhir_mappings.cohorts.staging import grade

METHYLATION = {"methylated": 1, "unmethylated": 0}
MUTATION = {"Mutant": 1, "WT": 0}
FLAG = {"1": 1, "0": 0}
STOMACH = "STAD"
CODELETION = {"IDHmut-codel": 1, "IDHmut-non-codel": 0, "IDHwt": 0}

GENES: tuple[tuple[str, str, Mapping[str, int]], ...] = (
    ("ATRX_STATUS", "gene_atrx", MUTATION),
    ("DAXX_STATUS", "gene_daxx", MUTATION),
    ("TERT_PROMOTER_STATUS", "gene_tert", MUTATION),
    ("SPOP_MUTATION", "gene_spop", FLAG),
    ("FOXA1_MUTATION", "gene_foxa1", FLAG),
)
COLUMNS = (
    "PATIENT_ID", "IDH_STATUS", "IDH_CODEL_SUBTYPE", "GLIOMA_GRADE", "MGMT_PROMOTER_STATUS", "MGMT_STATUS",
    "STAD_SUBTYPE", "GASTRIC_CLASSIFICATION", "HER2_AMPLIFICATION_STATUS", *(column for column, _, _ in GENES),
)  # fmt: skip


def add_publications(
    build: CohortBuilder, path: Path, acronyms: Mapping[str, str], erbb2: Mapping[str, int | None]
) -> None:
    """Add the tables' parameters; `erbb2` is what the exome says of ERBB2 per sequenced patient."""
    for row in read_rows(path, COLUMNS):
        patient = build.patients.get(row["PATIENT_ID"])
        if patient is None:
            continue
        for column, key, codes in GENES:
            build.fill(patient, key, codes.get(row[column]))
        if row["IDH_STATUS"] == "WT":
            build.fill(patient, "gene_idh1", 0)
            build.fill(patient, "gene_idh2", 0)
        build.fill(patient, "gene_1p19q_codeletion", CODELETION.get(row["IDH_CODEL_SUBTYPE"]))
        build.fill(patient, "stage_grade", grade(row["GLIOMA_GRADE"]))
        methylation = (row["MGMT_PROMOTER_STATUS"] or row["MGMT_STATUS"]).lower()
        build.put(patient, "gene_mgmt_methylated", METHYLATION.get(methylation))
        build.put(patient, "gene_erbb2", _erbb2(FLAG.get(row["HER2_AMPLIFICATION_STATUS"]), erbb2.get(patient.id)))
        if acronyms[patient.id] == STOMACH:
            build.put(patient, "path_ebv", _epstein_barr(row))


def _erbb2(amplified: int | None, mutated: int | None) -> int | None:
    """0 needs both: no amplification and an exome without a listed variant."""
    if amplified is None:
        return None
    return 1 if 1 in (amplified, mutated) else mutated


def _epstein_barr(row: Row) -> int | None:
    subtypes = [row[column] for column in ("STAD_SUBTYPE", "GASTRIC_CLASSIFICATION") if row[column]]
    return int("EBV" in subtypes) if subtypes else None
