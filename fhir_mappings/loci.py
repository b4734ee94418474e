"""Where a variant lies that is known by coordinates only: gene, listed codon, named site (catalogue/gene_loci.csv).

The version of a chromosome's accession tells the build: NC_000007.13 is chromosome 7 of GRCh37, NC_000007.14 of GRCh38.
An accession of another build, without a version, or of a transcript is not read: coordinates are never guessed across
builds.
"""

import csv
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from fhir_mappings.concepts import DATA

Build = Literal["GRCh37", "GRCh38"]
Site = Literal["promoter", "exon 14 splice"]

_VERSIONS: Mapping[Build, Mapping[str, str]] = {
    "GRCh37": {
        "1": "000001.10", "2": "000002.11", "3": "000003.11", "4": "000004.11", "5": "000005.9", "6": "000006.11",
        "7": "000007.13", "8": "000008.10", "9": "000009.11", "10": "000010.10", "11": "000011.9", "12": "000012.11",
        "13": "000013.10", "14": "000014.8", "15": "000015.9", "16": "000016.9", "17": "000017.10", "18": "000018.9",
        "19": "000019.9", "20": "000020.10", "21": "000021.8", "22": "000022.10", "X": "000023.10", "Y": "000024.9",
    },
    "GRCh38": {
        "1": "000001.11", "2": "000002.12", "3": "000003.12", "4": "000004.12", "5": "000005.10", "6": "000006.12",
        "7": "000007.14", "8": "000008.11", "9": "000009.12", "10": "000010.11", "11": "000011.10", "12": "000012.12",
        "13": "000013.11", "14": "000014.9", "15": "000015.10", "16": "000016.10", "17": "000017.11", "18": "000018.10",
        "19": "000019.10", "20": "000020.11", "21": "000021.9", "22": "000022.11", "X": "000023.11", "Y": "000024.10",
    },
}  # fmt: skip
ACCESSIONS: Mapping[Build, Mapping[str, str]] = {
    build: {chromosome: f"NC_{number}" for chromosome, number in versions.items()}
    for build, versions in _VERSIONS.items()
}
_BUILDS: Mapping[str, Build] = {
    accession: build for build, accessions in ACCESSIONS.items() for accession in accessions.values()
}
# FHIR's own example of a build is "GRCh 37"; a patch (GRCh37.p13) leaves the chromosomes' coordinates as they are.
_GRCH = re.compile(r"grch[ _-]?(37|38)(\.p\d+)?")
_UCSC: Mapping[str, Build] = {"hg19": "GRCh37", "hg38": "GRCh38"}
_SEX_CHROMOSOMES = {"23": "X", "24": "Y"}
_EXONS = {"exon 19": 19, "exon 20": 20}
_STRUCTURAL = 50  # bases; a variant this long is structural: which codons it covers says nothing of its effect


class Locus(msgspec.Struct, frozen=True):
    """A gene, and what of its gene's rule (catalogue/gene_rules.csv) the variant touches."""

    symbol: str
    # The first listed codon of an oncogene in the direction of reading, counted as the rule counts (MET 1010, GNAS 201;
    # H3-3A 28 from the start codon). EGFR 858 is among them, but its rule asks for the change L858R.
    codon: int | None = None
    site: Site | None = None  # positions outside codons where any change is listed
    exon: int | None = None  # EGFR 19 and 20, ERBB2 20: listed for in-frame deletions (19) or insertions (20) alone


class _Gene(msgspec.Struct, frozen=True):
    symbol: str
    start: int
    end: int
    codons: tuple[tuple[int, int, int], ...]  # start, end, codon; in the order of the chromosome
    sites: tuple[tuple[int, int, Site], ...]
    exons: tuple[tuple[int, int, int], ...]

    def touches(self, start: int, end: int) -> bool:
        return (self.start <= end and start <= self.end) or self.site(start, end) is not None

    def codon(self, start: int, end: int) -> int | None:
        first = bisect_left(self.codons, start, key=lambda codon: codon[1])
        behind = bisect_right(self.codons, end, key=lambda codon: codon[0])
        # On the reverse strand the last one on the chromosome is read first; a codon may be in two pieces.
        return min(self.codons[first][2], self.codons[behind - 1][2]) if first < behind else None

    def site(self, start: int, end: int) -> Site | None:
        return next((site for low, high, site in self.sites if low <= end and start <= high), None)

    def exon(self, start: int, end: int) -> int | None:
        return next((exon for low, high, exon in self.exons if low <= end and start <= high), None)


class Loci:
    """All intervals by chromosome accession."""

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        regions: dict[tuple[str, str], tuple[int, int]] = {}
        codons: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
        sites: dict[tuple[str, str], list[tuple[int, int, Site]]] = defaultdict(list)
        exons: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
        for row in rows:
            gene, start, end = (row["accession"], row["symbol"]), int(row["start"]), int(row["end"])
            if row["accession"] not in _BUILDS or not 1 <= start <= end:
                raise ValueError(f"gene_loci: {row['symbol']}: no interval of a known chromosome")
            if row["kind"] == "gene":
                regions[gene] = (start, end)
            elif row["kind"] == "codon":
                codons[gene].append((start, end, int(row["codon"])))
            elif row["kind"] in _EXONS:
                exons[gene].append((start, end, _EXONS[row["kind"]]))
            else:
                sites[gene].append((start, end, msgspec.convert(row["kind"], Site)))
        self._genes: dict[str, list[_Gene]] = defaultdict(list)
        for key, (start, end) in regions.items():
            parts = _Gene(key[1], start, end, tuple(sorted(codons[key])), tuple(sites[key]), tuple(exons[key]))
            self._genes[key[0]].append(parts)

    def locate(self, accession: str, start: int, end: int) -> Locus | None:
        if not 1 <= start <= end:
            return None
        found = [gene for gene in self._genes.get(accession.strip(), ()) if gene.touches(start, end)]
        if len(found) != 1:
            return None
        [gene] = found
        if end - start + 1 >= _STRUCTURAL:
            return Locus(gene.symbol)
        return Locus(gene.symbol, gene.codon(start, end), gene.site(start, end), gene.exon(start, end))


def locate(accession: str, start: int, end: int) -> Locus | None:
    """Gene, codon, site and exon of a variant from `start` to `end` (counted from 1, both inclusive) on a chromosome.

    Of a variant of 50 bases or more, the gene alone. None outside the catalogue's genes, where the variant touches more
    than one of them, and for an accession that is no chromosome of GRCh37 or GRCh38 (`build_of` tells that case apart).
    """
    return loci().locate(accession, start, end)


def accession_of(chromosome: str, build: str) -> str | None:
    """The RefSeq accession of a chromosome ("7", "chr7", "X", "23") in a build ("GRCh37", "GRCh 38", "hg19", ...)."""
    known = _build_named(build)
    plain = chromosome.strip().lower().removeprefix("chromosome").removeprefix("chr").strip().upper()
    return ACCESSIONS[known].get(_SEX_CHROMOSOMES.get(plain, plain)) if known else None


def build_of(accession: str) -> Build | None:
    """The build that a chromosome's accession belongs to; None for every other accession."""
    return _BUILDS.get(accession.strip())


def _build_named(text: str) -> Build | None:
    plain = text.strip().lower()
    named = _GRCH.fullmatch(plain)
    if named:
        return "GRCh37" if named[1] == "37" else "GRCh38"
    return _UCSC.get(plain)


@cache
def loci() -> Loci:
    """The shipped table."""
    return read_loci(DATA / "gene_loci.csv")


def read_loci(path: Path) -> Loci:
    with path.open(newline="", encoding="utf-8") as file:
        return Loci(csv.DictReader(file))
