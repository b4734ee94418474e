"""Writes the source tables of the public cohorts with a few made-up rows; cells that are not named are empty."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

from fhir_mappings.cohorts import hancock, tcga, tcga_enrolment, tcga_publications, tcga_variants

Rows = Sequence[dict[str, str]]


def write(path: Path, columns: Sequence[str], rows: Rows) -> None:
    delimiter = "\t" if ".tsv" in path.suffixes else ","
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
