"""Every variant of TCGA lies where its gene and codon say."""

import csv
import gzip
import re
from collections import Counter
from pathlib import Path

import pytest

from fhir_mappings.gene_rules import RULES
from fhir_mappings.loci import accession_of, locate

pytestmark = pytest.mark.corpus

# Codons that TCGA counts along a longer protein than the rules do.
OTHER_COUNTS = {("MET", 1021): 1003, ("MET", 1028): 1010, ("GNAS", 844): 201, ("GNAS", 870): 227, ("FGFR3", 375): 373}
EXPLAINED = {
    ("EIF1AX", "p.X6_splice"): "two bases before the exon: in no codon",
    ("GNAS", "p.E227Q"): "codon 227 of the long protein XLαs, far before codon 227 of Gsα",
    ("MET", "p.X1028_splice"): "two bases behind exon 14: a site, in no codon",
}


def on(chromosome: str, build: str) -> str:
    accession = accession_of(chromosome, build)
    assert accession is not None
    return accession


def test_all_variants_of_tcga(corpus: Path) -> None:
    """Each of 23,274 variants is in its gene; each SNV in a listed codon is in that codon, and no other SNV is."""
    counts: Counter[str] = Counter()
    differing = set()
    with gzip.open(corpus / "cohorts/tcga/data_mutations_67_genes.tsv.gz", "rt") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            symbol, change = row["Hugo_Symbol"], row["HGVSp_Short"]
            start, end = int(row["Start_Position"]), int(row["End_Position"])
            found = locate(on(row["Chromosome"], "GRCh37"), start, end)
            assert found is not None
            assert found.symbol == symbol
            counts["gene"] += 1
            number = re.search(r"\d+", change)
            if row["Variant_Type"] != "SNP" or not number:
                continue
            codon = OTHER_COUNTS.get((symbol, int(number[0])), int(number[0]))
            expected = codon if is_listed(symbol, codon) else None
            counts["listed codon" if found.codon else "other codon"] += 1
            if found.codon != expected:
                differing.add((symbol, change))
    assert counts == {"gene": 23_274, "listed codon": 3_429, "other codon": 16_559}
    assert differing == set(EXPLAINED)


def is_listed(symbol: str, codon: int) -> bool:
    if symbol == "H3-3A":
        return codon in (28, 35)
    if symbol == "TP53":
        return False
    return (symbol, codon) == ("EGFR", 858) or any(low <= codon <= high for low, high in RULES[symbol].codons)
