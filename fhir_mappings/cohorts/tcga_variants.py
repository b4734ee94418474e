"""TCGA exomes -> gene parameters, by the same rule as a FHIR report.

Absence from the list of sequenced samples is untested, not wild type. Exomes see neither promoters nor copy number
nor rearrangements: a gene whose rule needs one of these stays missing here, since it could never be 0.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import CohortBuilder
from fhir_mappings.cohorts.gene_value import gene_value
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from fhir_mappings.genes import RULES, Effect, consequence_of_maf, gene_effect

VARIANTS = (
    "Hugo_Symbol", "Start_Position", "End_Position", "Variant_Classification", "HGVSp_Short", "HGVSc",
    "Tumor_Sample_Barcode",
)  # fmt: skip
PATIENT = slice(0, 12)  # of a barcode
TUMOUR_TYPES = ("", "01", "06")  # of a barcode; recurrences (02) and additional tumours (05) are not the index tumour

# Codons that the callers count on a longer transcript than the catalogue: theirs -> ours.
TRANSCRIPTS: Mapping[str, Mapping[int, int]] = {"MET": {1021: 1003, 1028: 1010}, "GNAS": {844: 201, 870: 227}}

# Exon 14 of MET and its splice sites, chromosome 7 of GRCh37: splice variants there come without a protein change.
MET_EXON_14 = (116_411_899, 116_412_047)


def add_variants(build: CohortBuilder, folder: Path) -> dict[str, int | None]:
    """Set every gene that an exome can answer; returns what it says of ERBB2, per sequenced patient."""
    sequenced = {row["Tumor_Sample_Barcode"][PATIENT] for row in _of_tumours(folder / "sequenced_samples.tsv.gz", ())}
    effects: dict[str, dict[str, set[Effect]]] = defaultdict(lambda: defaultdict(set))
    for row in _of_tumours(folder / "data_mutations_67_genes.tsv.gz", VARIANTS):
        if row["Hugo_Symbol"] in RULES:
            patient = row["Tumor_Sample_Barcode"][PATIENT]
            effects[patient][row["Hugo_Symbol"]].add(variant_effect(row))
    for patient_id in sequenced & build.patients.keys():
        for symbol, rule in RULES.items():
            if rule.zero_needs == ("sequence",):
                value = gene_value(effects[patient_id][symbol])
                build.put(build.patients[patient_id], rule.key, value)
    return {patient_id: gene_value(effects[patient_id]["ERBB2"]) for patient_id in sequenced}


def variant_effect(row: Row) -> Effect:
    """What one MAF row says of its gene."""
    symbol = row["Hugo_Symbol"]
    consequence = consequence_of_maf(row["Variant_Classification"])
    protein = _on_our_transcript(symbol, row["HGVSp_Short"])
    if symbol == "MET" and consequence == "splice" and not protein:
        protein = "p.X1010_splice" if _in_met_exon_14(row) else "p.X1_splice"
    return gene_effect(symbol, protein, consequence, row["HGVSc"] or None)


def _of_tumours(path: Path, columns: tuple[str, ...]) -> Iterable[Row]:
    for row in read_rows(path, ("Tumor_Sample_Barcode", *columns)):
        if row["Tumor_Sample_Barcode"][13:15] in TUMOUR_TYPES:
            yield row


def _on_our_transcript(symbol: str, protein: str) -> str:
    shift = TRANSCRIPTS.get(symbol, {})
    return re.sub(r"\d+", lambda codon: str(shift.get(int(codon[0]), int(codon[0]))), protein, count=1)


def _in_met_exon_14(row: Row) -> bool:
    start, end = number(row, "Start_Position") or 0, number(row, "End_Position") or 0
    return start <= MET_EXON_14[1] and end >= MET_EXON_14[0]
