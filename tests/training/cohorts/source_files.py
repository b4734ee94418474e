"""Writes the source tables of the public cohorts with a few made-up rows; cells that are not named are empty."""

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fhir_mappings.cohorts import (
    hancock,
    hcc_coimbra,
    hcc_sysucc,
    hcc_tace_seg,
    inspire,
    metabric,
    msk_genes,
    msk_met,
    msk_supplement,
    ncctg_lung,
    nhanes,
    support2,
    tcga,
    tcga_enrolment,
    tcga_publications,
    tcga_variants,
    ucsf_pdgm,
)
from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS
from fhir_mappings.concepts import catalogue

SCHEMA = catalogue().schema
Rows = Sequence[dict[str, str]]

# Cohorts of one table: file, columns that are read, a row of which nothing but the outcome is known (alive at the end).
TABLES: Mapping[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "support2": ("support2", support2.COLUMNS, {"sno": "1", "ca": "yes", "death": "0", "d.time": "100"}),
    "nhanes": ("nhanes_cancer_1999_2018", nhanes.COLUMNS, {"SEQN": "1", "MORTSTAT": "0", "PERMTH_EXM": "10"}),
    "metabric": ("metabric", metabric.COLUMNS, {"PATIENT_ID": "1", "OS_EVENT": "0", "OS_DAYS": "100"}),
    "hcc_sysucc": ("hcc_sysucc", hcc_sysucc.COLUMNS, {"ROW": "1", "Status_of_death": "0", "OStime_day": "100"}),
    "hcc_coimbra": ("hcc_coimbra", hcc_coimbra.COLUMNS, {"lives_1y": "1"}),
    "hcc_tace_seg": ("hcc_tace_seg", hcc_tace_seg.COLUMNS, {"TCIA_ID": "1", hcc_tace_seg.STATUS: "0", "OS": "10"}),
    "ucsf_pdgm": ("ucsf_pdgm", ucsf_pdgm.COLUMNS, {"ID": "1", ucsf_pdgm.STATUS: "0", "OS": "100"}),
    "ncctg_lung": ("ncctg_lung", ncctg_lung.COLUMNS, {"time": "100", "status": "0"}),
    "inspire": ("inspire", inspire.COLUMNS, {"row": "1", "os_status": "0", "os_time": "10"}),
}


def build(folder: Path, name: str, *rows: dict[str, str], also: Sequence[str] = ()) -> BuiltCohort:
    """A cohort of one table from rows that state what differs; `also` are columns that the file has but nobody reads.

    With several rows each states its own identifier.
    """
    file, columns, base = TABLES[name]
    folder.mkdir(exist_ok=True)
    write(folder / f"{file}.csv.gz", (*columns, *also), [{**base, **row} for row in rows or ({},)])
    return PUBLIC_COHORTS[name](folder, SCHEMA)


def known(built: BuiltCohort, row: int = 0) -> dict[str, float]:
    """What a row holds, the entity aside."""
    vector = built.cohort.values[row]
    keys = [feature.key for feature in SCHEMA.features if not feature.is_entity]
    return {key: float(vector[SCHEMA.index[key]]) for key in keys if not np.isnan(vector[SCHEMA.index[key]])}


def write_msk_met(
    folder: Path,
    patients: Rows,
    samples: Rows = (),
    panel: Sequence[str] = (),
    rearrangements: Rows = (),
    variants: Rows = (),
    supplement: Rows = (),
) -> Path:
    """All tables of MSK-MET, the supplement beside them; a patient is alive after ten months unless stated."""
    own = folder / "msk_met"
    own.mkdir(exist_ok=True)
    (folder / "msk_supplement").mkdir(exist_ok=True)
    alive = {"PATIENT_ID": MSK, "OS_STATUS": "0:LIVING", "OS_MONTHS": "10"}
    also = ("AGE_AT_DEATH", "AGE_AT_LAST_CONTACT", "AGE_AT_SURGERY")
    write(own / "data_clinical_patient.txt.gz", (*msk_met.PATIENTS, *also), [{**alive, **row} for row in patients])
    sample = {"PATIENT_ID": MSK, "SAMPLE_ID": f"{MSK}-T01-IM3", "STUDY": "msk_impact_2017"}
    detailed = (*msk_met.SAMPLES, "CANCER_TYPE_DETAILED")
    write(own / "data_clinical_sample.tsv.gz", detailed, [{**sample, **row} for row in samples])
    write(own / "data_gene_panel_matrix.txt.gz", ("SAMPLE_ID",), [{"SAMPLE_ID": name} for name in panel])
    write(own / "data_sv.txt.gz", msk_genes.REARRANGEMENTS, rearrangements)
    write(own / "msk_impact_2017_snv.tsv.gz", msk_genes.VARIANTS, variants)
    rows = [{"PATIENT_ID": MSK, **row} for row in supplement]
    columns = (*msk_supplement.COLUMNS, "PRIMARY_TUMOR_LOCATION")
    write(folder / "msk_supplement/msk_supplement.csv.gz", columns, rows)
    return own


MSK = "P-0000001"


def write(path: Path, columns: Sequence[str], rows: Rows) -> None:
    delimiter = "\t" if {".tsv", ".txt"} & set(path.suffixes) else ","
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def sample(patient: str, acronym: str = "LUAD", **cells: str) -> dict[str, str]:
    """A row of samples.tsv.gz: a man of 60 who was alive after 500 days."""
    return {
        "sample_id": f"{patient}-01", "patient_id": patient, "acronym": acronym, "age_diagnosed": "60",
        "gender": "Male", "dead": "0", "days_survived": "500", "sample_type": "Primary Solid Tumor", **cells,
    }  # fmt: skip


def write_tcga(
    folder: Path,
    samples: Rows,
    clinical: Rows = (),
    form: Rows = (),
    sequenced: Sequence[str] = (),
    variants: Rows = (),
    publications: Rows = (),
) -> Path:
    """All tables of TCGA; `sequenced` are barcodes."""
    write(folder / "samples.tsv.gz", tcga.SAMPLES, samples)
    write(folder / "data_clinical_sample.tsv.gz", tcga.CLINICAL_SAMPLES, clinical)
    write(folder / "clinical_bcr_2016_01_28.csv.gz", tcga_enrolment.COLUMNS, form)
    barcodes = [{"Tumor_Sample_Barcode": barcode} for barcode in sequenced]
    write(folder / "sequenced_samples.tsv.gz", ("Tumor_Sample_Barcode",), barcodes)
    write(folder / "data_mutations_67_genes.tsv.gz", tcga_variants.VARIANTS, variants)
    write(folder / "molecular_publications.csv.gz", tcga_publications.COLUMNS, publications)
    return folder


def write_hancock(folder: Path, **tables: Rows) -> Path:
    """All tables of HANCOCK: targets, clinical, pathological, blood, tma_cell_density."""
    columns: dict[str, tuple[str, ...]] = {
        "targets": (*hancock.OUTCOME, "recurrence", "days_to_recurrence"),
        "clinical": ("patient_id", "age_at_initial_diagnosis", *_names(hancock.CLINICAL)),
        "pathological": ("patient_id", *_names(hancock.PATHOLOGY), *_names(hancock.PATHOLOGY_NUMBERS)),
        "blood": ("patient_id", *_names(hancock.BLOOD)),
        "tma_cell_density": ("patient_id", *_names(hancock.DENSITIES)),
    }
    for name, header in columns.items():
        write(folder / f"{name}.csv", header, tables.get(name, ()))
    return folder


def _names(entries: Sequence[tuple[str, str, object]]) -> tuple[str, ...]:
    return tuple(column for column, _, _ in entries)
