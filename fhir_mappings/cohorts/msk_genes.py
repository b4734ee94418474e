"""Genes of MSK-MET: rearrangements of every sequenced sample, point mutations of the 2017 study, by the gene rule.

The mutation file holds point mutations of ten sites only: a patient who is not in it is untested, and genes whose rule
counts truncating or in-frame variants (suppressors, EGFR, MET, KIT) could never be 0 and are not read. Copy number is
nowhere.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import CohortBuilder
from fhir_mappings.cohorts.gene_value import gene_value
from fhir_mappings.cohorts.source_tables import Row, number, read_rows
from fhir_mappings.genes import RULES, Effect, consequence_of_maf, current_symbol, gene_effect, key_of

BY_POINT_MUTATION = (
    "KRAS", "NRAS", "HRAS", "BRAF", "PIK3CA", "AKT1", "CTNNB1", "POLE", "IDH1", "IDH2", "H3-3A", "TERT", "FGFR3",
    "PDGFRA", "GNAQ", "GNA11", "SF3B1", "GNAS", "ESR1", "SPOP",
)  # fmt: skip
BY_REARRANGEMENT = ("ALK", "ROS1", "NTRK1", "NTRK2", "NTRK3", "FGFR2")
BY_BOTH = "RET"  # 0 needs both examinations

VARIANTS = (
    "Hugo_Symbol", "Start_Position", "Reference_Allele", "Tumor_Seq_Allele2", "patient_id", "HGVSp_Short",
    "Variant_Classification",
)  # fmt: skip
REARRANGEMENTS = ("Sample_Id", "Site1_Hugo_Symbol", "Site2_Hugo_Symbol", "Event_Info")
PATIENT = slice(0, 9)  # of a sample's name

# Promoter variants of TERT come without a coding change. c.-1 is base 1,295,105 of chromosome 5 (GRCh37), and the gene
# reads backwards: G>A at 1,295,228 is c.-124C>T.
TERT_BEFORE = 1_295_104
COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}

Effects = Mapping[str, Mapping[str, set[Effect]]]  # patient -> gene symbol -> what its variants say


def add_fusions_and_variants(build: CohortBuilder, folder: Path, sequenced: set[str]) -> None:
    """Set the genes that a patient's samples can answer; `sequenced` are the samples of the panel matrix."""
    fusions = _fusions(folder / "data_sv.txt.gz")
    variants = _variants(folder / "msk_impact_2017_snv.tsv.gz", sequenced)
    examined = {sample[PATIENT] for sample in sequenced}
    for patient in build.patients.values():
        if patient.id in examined:
            for symbol in BY_REARRANGEMENT:
                _put(build, patient.id, RULES[symbol].key, fusions[patient.id])
        if patient.id in variants:
            for symbol in BY_POINT_MUTATION:
                _put(build, patient.id, RULES[symbol].key, variants[patient.id])
            if patient.id in examined:
                both = variants[patient.id][BY_BOTH] | fusions[patient.id][BY_BOTH]
                _put(build, patient.id, RULES[BY_BOTH].key, {BY_BOTH: both})


def _put(build: CohortBuilder, patient_id: str, key: str, effects: Mapping[str, set[Effect]]) -> None:
    """NTRK1, NTRK2 and NTRK3 share a parameter."""
    found = {effect for symbol, own in effects.items() if key_of(symbol) == key for effect in own}
    build.put(build.patients[patient_id], key, gene_value(found))


def _fusions(path: Path) -> Effects:
    found: dict[str, dict[str, set[Effect]]] = defaultdict(lambda: defaultdict(set))
    for row in read_rows(path, REARRANGEMENTS):
        for symbol in {row["Site1_Hugo_Symbol"], row["Site2_Hugo_Symbol"]} & {*BY_REARRANGEMENT, BY_BOTH}:
            found[row["Sample_Id"][PATIENT]][symbol].add(fusion_effect(row, symbol))
    return found


def fusion_effect(row: Row, symbol: str) -> Effect:
    """What one rearrangement says of a gene.

    A fusion with another gene, or a part of the genome, that names it counts as the gene rule's fusion. One that is out
    of frame, antisense, or of a neighbour may or may not keep the kinase: it cannot be told. A deletion, duplication or
    inversion inside the gene is no fusion.
    """
    event = row["Event_Info"]
    if row["Site1_Hugo_Symbol"] == row["Site2_Hugo_Symbol"] or "fusion" not in event.lower():
        return Effect.OUTSIDE
    named = re.search(rf"\b{symbol}\b", event)
    if not named or re.search("out of frame|antisense", event, re.IGNORECASE):
        return Effect.UNKNOWN
    return gene_effect(symbol, None, "fusion")


def _variants(path: Path, sequenced: set[str]) -> Effects:
    """By patient; of several samples the one that time zero is the sequencing of, else all."""
    by_sample: dict[str, dict[str, set[Effect]]] = defaultdict(lambda: defaultdict(set))
    for row in read_rows(path, VARIANTS):
        own = by_sample[row["patient_id"]]
        symbol = current_symbol(row["Hugo_Symbol"])
        if symbol in BY_POINT_MUTATION or symbol == BY_BOTH:
            own[symbol].add(_variant_effect(row, symbol))
    index = {sample[PATIENT] for sample in by_sample if sample in sequenced}
    found: dict[str, dict[str, set[Effect]]] = {}
    for sample, effects in by_sample.items():
        if sample in sequenced or sample[PATIENT] not in index:
            merged = found.setdefault(sample[PATIENT], defaultdict(set))
            for symbol, stated in effects.items():
                merged[symbol] |= stated
    return found


def _variant_effect(row: Row, symbol: str) -> Effect:
    consequence = consequence_of_maf(row["Variant_Classification"])
    coding = tert_coding_change(row) if symbol == "TERT" and consequence == "promoter" else None
    return gene_effect(symbol, row["HGVSp_Short"], consequence, coding)


def tert_coding_change(row: Row) -> str | None:
    """The coding change of a substitution before TERT, from its coordinates; None for other variants."""
    position, reference, alternative = number(row, "Start_Position"), row["Reference_Allele"], row["Tumor_Seq_Allele2"]
    if position is None or reference not in COMPLEMENT or alternative not in COMPLEMENT:
        return None
    return f"c.-{int(position) - TERT_BEFORE}{COMPLEMENT[reference]}>{COMPLEMENT[alternative]}"
