"""Variants by coordinates alone against the rule that reads their protein change, on every variant of TCGA."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from fhir_mappings.cohorts.source_tables import read_rows
from fhir_mappings.cohorts.tcga_variants import variant_effect
from fhir_mappings.genes import Effect, current_symbol
from fhir_mappings.loci import accession_of
from fhir_mappings.readers.sequences import read_sequences
from fhir_mappings.resources.datatypes import CodeableConcept, Coding
from fhir_mappings.resources.r4 import MolecularSequence, ReferenceSequence, SequenceVariant

pytestmark = pytest.mark.corpus
NUCCORE = "http://www.ncbi.nlm.nih.gov/nuccore"
# What coordinates count and the rule does not (docs/mapping-rules.md says why), by kind of change and number.
COUNTED_TOO_MUCH = {
    "Nonsense_Mutation": 13,
    "Missense_Mutation": 2,
    "Splice_Site": 1,
    "In_Frame_Ins": 1,
    "In_Frame_Del": 1,
}


def sequence_of(row: dict[str, str]) -> MolecularSequence:
    """One row as FHIR states it: a chromosome of GRCh37, a place, two alleles."""
    accession = accession_of(row["Chromosome"], "GRCh37")
    assert accession is not None
    return MolecularSequence(
        id="s",
        coordinateSystem=1,
        referenceSeq=ReferenceSequence(referenceSeqId=CodeableConcept((Coding(NUCCORE, accession),))),
        variant=(
            SequenceVariant(
                start=int(row["Start_Position"]),
                end=int(row["End_Position"]),
                observedAllele=row["Tumor_Seq_Allele2"],
                referenceAllele=row["Reference_Allele"],
            ),
        ),
    )


def test_coordinates_agree_with_the_rule_of_the_protein_change(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every gene is right; what coordinates decide is what the rule decides, but for 18 of 23,274."""
    table: Counter[tuple[Effect, str]] = Counter()
    genes = 0
    otherwise: Counter[str] = Counter()
    for row in read_rows(corpus / "cohorts/tcga/data_mutations_67_genes.tsv.gz", ("Hugo_Symbol",)):
        [found], _ = read_sequences([sequence_of(row)])
        genes += found.symbol == current_symbol(row["Hugo_Symbol"])
        rule = variant_effect(row)
        table[rule, found.says] += 1
        if rule is Effect.OUTSIDE and found.says == "positive":
            otherwise[row["Variant_Classification"]] += 1
    total, right = sum(table.values()), table[Effect.PATHOGENIC, "positive"]
    lines = [
        f"{n:7,} rule {rule.name.lower():10} coordinates {says}" for (rule, says), n in sorted(table.items(), key=str)
    ]
    decided = f"{right:,} of {right + sum(otherwise.values()):,} decisions by coordinates are the rule's"
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *lines, f"of {total:,} variants the gene is right in {genes:,}; {decided}"]))
    assert genes == total == 23_274
    assert right >= 3_466
    assert otherwise == COUNTED_TOO_MUCH
    assert not [says for _, says in table if says == "negative"]  # coordinates alone never say 0
