"""Coordinates -> gene, codon, site: hand-typed hotspots of both builds (all variants of TCGA: tests/corpus)."""

import csv
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from fhir_mappings.concepts import DATA
from fhir_mappings.gene_rules import RULES
from fhir_mappings.loci import Loci, Locus, accession_of, build_of, locate

# Gene, codon, chromosome, the position that variant databases print for the named change in GRCh37 and in GRCh38.
HOTSPOTS = [
    ("AKT1", 17, "14", 105246551, 104780214),  # E17K
    ("AR", 878, "X", 66943552, 67723710),  # T878A
    ("BRAF", 600, "7", 140453136, 140753336),  # V600E
    ("CTNNB1", 45, "3", 41266137, 41224646),  # S45F
    ("EGFR", 858, "7", 55259515, 55191822),  # L858R
    ("ERBB2", 310, "17", 37868208, 39711955),  # S310F
    ("ESR1", 537, "6", 152419923, 152098788),  # Y537S
    ("FBXW7", 465, "4", 153249385, 152328233),  # R465C
    ("FGFR3", 249, "4", 1803568, 1801841),  # S249C
    ("GNA11", 209, "19", 3118942, 3118944),  # Q209L
    ("GNAQ", 209, "9", 80409488, 77794572),  # Q209P
    ("GNAS", 201, "20", 57484421, 58909366),  # R201H
    ("H3-3A", 28, "1", 226252135, 226064434),  # K27M of the histone count
    ("HRAS", 61, "11", 533874, 533874),  # Q61R
    ("IDH1", 132, "2", 209113112, 208248388),  # R132H
    ("IDH2", 172, "15", 90631838, 90088606),  # R172K
    ("KIT", 816, "4", 55599321, 54733155),  # D816V
    ("KRAS", 12, "12", 25398284, 25245350),  # G12D
    ("MET", 1010, "7", 116412043, 116771989),  # D1010N
    ("NRAS", 61, "1", 115256529, 114713908),  # Q61R
    ("PDGFRA", 842, "4", 55152093, 54285926),  # D842V
    ("PIK3CA", 1047, "3", 178952085, 179234297),  # H1047R
    ("POLE", 286, "12", 133253184, 132676598),  # P286R
    ("RET", 918, "10", 43617416, 43121968),  # M918T
    ("SF3B1", 700, "2", 198266834, 197402110),  # K700E
    ("TP53", None, "17", 7578406, 7675088),  # R175H: no codon for a suppressor
]


def on(chromosome: str, build: str) -> str:
    accession = accession_of(chromosome, build)
    assert accession is not None
    return accession


@pytest.mark.parametrize(("symbol", "codon", "chromosome", "old", "new"), HOTSPOTS)
def test_hotspot_in_both_builds(symbol: str, codon: int | None, chromosome: str, old: int, new: int) -> None:
    """A hotspot is found at its published position in either build, and not at the other build's."""
    for build, position, other in (("GRCh37", old, new), ("GRCh38", new, old)):
        found = locate(on(chromosome, build), position, position)
        assert found is not None
        assert (found.symbol, found.codon) == (symbol, codon)
        elsewhere = locate(on(chromosome, build), other, other)
        assert old == new or codon is None or elsewhere is None or elsewhere.codon is None


@pytest.mark.parametrize(
    ("build", "at", "locus"),
    [
        ("GRCh37", ("5", 1295228, 1295228), Locus("TERT", site="promoter")),
        ("GRCh38", ("5", 1295113, 1295113), Locus("TERT", site="promoter")),
        ("GRCh37", ("5", 1295250, 1295250), Locus("TERT", site="promoter")),
        ("GRCh38", ("5", 1295135, 1295135), Locus("TERT", site="promoter")),
        ("GRCh37", ("5", 1295229, 1295229), None),
        ("GRCh37", ("7", 55242465, 55242479), Locus("EGFR", exon=19)),
        ("GRCh38", ("7", 55174772, 55174786), Locus("EGFR", exon=19)),
        ("GRCh37", ("7", 55249005, 55249005), Locus("EGFR", 768, exon=20)),
        ("GRCh37", ("17", 37880996, 37880997), Locus("ERBB2", exon=20)),
        ("GRCh37", ("7", 116412044, 116412044), Locus("MET", site="exon 14 splice")),
        ("GRCh38", ("7", 116771848, 116771848), Locus("MET", site="exon 14 splice")),
        ("GRCh37", ("7", 116412042, 116412045), Locus("MET", 1010, "exon 14 splice")),
        ("GRCh37", ("7", 116412046, 116412046), Locus("MET")),
    ],
)
def test_sites_and_exons(build: str, at: tuple[str, int, int], locus: Locus | None) -> None:
    """Promoter positions and splice sites of MET exon 14 are sites; EGFR exons 19 and 20, ERBB2 exon 20 are named."""
    assert locate(on(at[0], build), at[1], at[2]) == locus


@pytest.mark.parametrize(
    ("start", "end", "codon"),
    [
        (25398286, 25398286, None),
        (25398285, 25398285, 12),
        (25398283, 25398283, 12),
        (25398282, 25398282, 13),
        (25398280, 25398280, 13),
        (25398279, 25398279, None),
        (25398282, 25398283, 12),
        (25398279, 25398288, 12),
        (25398260, 25398309, None),
    ],
)
def test_codon_boundaries(start: int, end: int, codon: int | None) -> None:
    """On KRAS, read backwards, a variant has the first listed codon it touches; one of 50 bases has none."""
    assert locate(on("12", "GRCh37"), start, end) == Locus("KRAS", codon)


def test_codon_across_an_intron() -> None:
    """The codon that an exon's end divides is found on both sides, the intron between has none."""
    chromosome = on("7", "GRCh37")
    around = [116412042, 116412043, 116413000, 116414934, 116414935, 116414936, 116414937]
    assert [found and found.codon for found in (locate(chromosome, at, at) for at in around)] == [
        None, 1010, None, None, 1010, 1010, None,
    ]  # fmt: skip


def test_gene_boundaries() -> None:
    """A gene begins and ends with its coding sequence."""
    chromosome = on("17", "GRCh38")
    assert locate(chromosome, 7676594, 7676594) == locate(chromosome, 7669609, 7669609) == Locus("TP53")
    assert locate(chromosome, 7676595, 7676595) is locate(chromosome, 7669608, 7669608) is None
    assert locate(chromosome, 7676595, 7676600) is None
    assert locate(chromosome, 7676594, 7676600) == Locus("TP53")


@pytest.mark.parametrize(("start", "end"), [(7676594, 7676593), (0, 0), (-5, 7676000), (0, 10**30)])
def test_no_interval(start: int, end: int) -> None:
    """A start behind the end or before the first base locates nothing."""
    assert locate(on("17", "GRCh38"), start, end) is None


def test_several_genes() -> None:
    """A variant that spans two genes of the catalogue is in neither."""
    assert locate(on("4", "GRCh38"), 54295272, 54658015) is None
    assert locate(on("4", "GRCh38"), 54295272, 54658014) == Locus("PDGFRA")


@pytest.mark.parametrize("accession", ["", "NC_000007", "NC_000007.12", "NM_004333.4", "7", "NC_000099.1"])
def test_unknown_accession(accession: str) -> None:
    """Another build, a transcript or an accession without its version is never read as coordinates."""
    assert build_of(accession) is None
    assert locate(accession, 140453136, 140453136) is None


def test_accession_tells_the_build() -> None:
    """The version decides between the builds, blanks around it do not."""
    assert (build_of("NC_000007.13"), build_of(" NC_000007.14 ")) == ("GRCh37", "GRCh38")
    assert locate("NC_000007.14", 140453136, 140453136) is None
    assert locate(" NC_000007.13 ", 140453136, 140453136) == Locus("BRAF", 600)


@pytest.mark.parametrize(
    ("chromosome", "build", "accession"),
    [
        ("7", "GRCh37", "NC_000007.13"),
        ("chr7", "hg19", "NC_000007.13"),
        ("Chr7", "GRCh 37", "NC_000007.13"),
        ("chromosome 7", "GRCh37.p13", "NC_000007.13"),
        ("7", "hg38", "NC_000007.14"),
        ("x", "HG38", "NC_000023.11"),
        ("23", "grch38", "NC_000023.11"),
        ("Y", "GRCh37", "NC_000024.9"),
        ("7", "", None),
        ("7", "NCBI36", None),
        ("7", "hg18", None),
        ("7", "GRCh39", None),
        ("7", "37", None),
        ("25", "GRCh38", None),
        ("", "GRCh38", None),
        ("MT", "GRCh38", None),
    ],
)
def test_accession_of(chromosome: str, build: str, accession: str | None) -> None:
    """Chromosome and build name an accession in the usual spellings; an unknown build names none."""
    assert accession_of(chromosome, build) == accession


def test_broken_table() -> None:
    """A row on an unknown chromosome or with its ends exchanged stops the start."""
    row = {"symbol": "KRAS", "accession": "NC_000012.11", "kind": "gene", "codon": "", "start": "5", "end": "9"}
    assert Loci([row]).locate("NC_000012.11", 7, 7) == Locus("KRAS")
    for change in ({"accession": "NC_000012.1"}, {"start": "10"}):
        with pytest.raises(ValueError, match="KRAS"):
            Loci([row | change])


def test_table_holds_every_rule() -> None:
    """Each gene with a rule has one region in each build, each listed codon three bases, and no two genes overlap."""
    with (DATA / "gene_loci.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bases: Counter[tuple[str, str, int]] = Counter()
    regions = defaultdict(list)
    for row in rows:
        if row["kind"] == "codon":
            bases[row["build"], row["symbol"], int(row["codon"])] += int(row["end"]) - int(row["start"]) + 1
        elif row["kind"] == "gene":
            regions[row["accession"]].append((int(row["start"]), int(row["end"])))
    listed = {
        (symbol, codon)
        for symbol, rule in RULES.items()
        for low, high in rule.codons
        for codon in range(low, high + 1)
        if symbol not in ("TP53", "H3-3A")
    } | {("EGFR", 858), ("H3-3A", 28), ("H3-3A", 35)}
    for build in ("GRCh37", "GRCh38"):
        assert {row["symbol"] for row in rows if (row["build"], row["kind"]) == (build, "gene")} == set(RULES)
        assert {(symbol, codon): size for (of, symbol, codon), size in bases.items() if of == build} == dict.fromkeys(
            listed, 3
        )
    for intervals in map(sorted, regions.values()):
        assert all(before[1] < behind[0] for before, behind in pairwise(intervals))
