"""MolecularSequence variants by coordinates: the build is known, or nothing is."""

import pytest

from tests.unit.fhir_mappings.resources_of import Resource, codes, concept, finding, sequence, value, variant

# Chromosome accessions and positions of well-known variants, typed from ClinVar.
CHR12_37, CHR12_38 = "NC_000012.11", "NC_000012.12"
CHR7_37, CHR7_38 = "NC_000007.13", "NC_000007.14"
CHR17_37 = "NC_000017.10"
NUCCORE = "http://www.ncbi.nlm.nih.gov/nuccore"
KRAS_G12_37, KRAS_G12_38 = 25398284, 25245350
BRAF_V600_37, BRAF_V600_38 = 140453136, 140753336
EGFR_L858_37, EGFR_L858_38 = 55259515, 55191822
TP53_R273_37 = 7577121


@pytest.mark.parametrize(
    ("accession", "position", "observed", "replaced", "key"),
    [
        (CHR12_37, KRAS_G12_37, "T", "C", "gene_kras"),
        (CHR12_38, KRAS_G12_38, "T", "C", "gene_kras"),
        (CHR7_37, BRAF_V600_37, "T", "A", "gene_braf"),
        (CHR7_38, BRAF_V600_38, "T", "A", "gene_braf"),
    ],
)
def test_a_change_in_a_listed_codon_of_an_oncogene_counts(
    accession: str, position: int, observed: str, replaced: str, key: str
) -> None:
    """In both builds, each by its own coordinates."""
    found = sequence(accession, position, observed, replaced, id="s")
    assert finding(key, found).value == 1
    assert finding(key, found).sources == ("MolecularSequence/s",)


def test_coordinates_of_one_build_mean_nothing_in_the_other() -> None:
    """37 read as 38 would be another codon of another gene."""
    assert value("gene_kras", sequence(CHR12_38, KRAS_G12_37, "T", "C")) is None
    assert value("gene_kras", sequence(CHR12_37, KRAS_G12_38, "T", "C")) is None


def test_counting_from_zero_is_one_less() -> None:
    """FHIR's coordinateSystem 0 has an open end."""
    place = [{"start": KRAS_G12_37 - 1, "end": KRAS_G12_37, "observedAllele": "T", "referenceAllele": "C"}]
    assert value("gene_kras", sequence(CHR12_37, 1, "", "", coordinateSystem=0, variant=place)) == 1
    codon_ends = 25398285  # G12 is 25398283-25398285; from zero the last base starts at 25398284
    place = [{"start": codon_ends, "end": codon_ends + 1, "observedAllele": "T", "referenceAllele": "C"}]
    assert value("gene_kras", sequence(CHR12_37, 1, "", "", coordinateSystem=0, variant=place)) is None


@pytest.mark.parametrize("system", [None, 2, -1])
def test_without_a_known_way_of_counting_nothing_is_located(system: int | None) -> None:
    """One base is one codon's difference."""
    unknown = sequence(CHR12_37, KRAS_G12_37, "T", "C", coordinateSystem=system)
    assert value("gene_kras", unknown) is None
    assert "coordinates-unknown" in codes(unknown)


@pytest.mark.parametrize(
    "reference",
    [
        None,
        {},
        {"referenceSeqId": concept("NC_000012", NUCCORE)},
        {"referenceSeqId": concept("NC_000012.10", NUCCORE)},
        {"referenceSeqId": concept(CHR12_37, "urn:other")},
        {"chromosome": concept("12", "urn:x")},
        {"chromosome": concept("12", "urn:x"), "genomeBuild": "NCBI36"},
        {"chromosome": concept("12", "urn:x"), "genomeBuild": "T2T-CHM13v2.0"},
        {"referenceSeqId": concept(CHR12_37, NUCCORE), "chromosome": concept("12", "x"), "genomeBuild": "GRCh38"},
        {"referenceSeqId": concept(CHR12_37, NUCCORE), "chromosome": concept("7", "x"), "genomeBuild": "GRCh37"},
    ],
)
def test_without_one_known_build_nothing_is_located(reference: Resource | None) -> None:
    """Missing, older, or two that contradict each other."""
    unknown = sequence(CHR12_37, KRAS_G12_37, "T", "C", referenceSeq=reference)
    assert value("gene_kras", unknown) is None
    assert "build-unknown" in codes(unknown)


@pytest.mark.parametrize("build", ["GRCh37", "GRCh 37", "hg19", "GRCh37.p13"])
def test_chromosome_and_build_may_be_stated_apart(build: str) -> None:
    """As FHIR's own examples do."""
    apart = {"chromosome": concept("12", "urn:x"), "genomeBuild": build}
    assert value("gene_kras", sequence(CHR12_37, KRAS_G12_37, "T", "C", referenceSeq=apart)) == 1


def test_elsewhere_in_a_gene_a_change_is_located_and_not_judged() -> None:
    """Neither 1 nor 0: by coordinates alone its effect cannot be told."""
    suppressor = sequence(CHR17_37, TP53_R273_37, "T", "C")
    assert value("gene_tp53", suppressor) is None
    assert "variant-unclassified" in codes(suppressor)
    assert value("gene_kras", sequence(CHR12_37, 25380275 + 5, "T", "C")) is None


def test_a_located_change_does_not_become_zero_by_a_negative_report() -> None:
    """Something is there that nobody has judged."""
    negative = variant("HGNC:11998", "TP53", present="LA9634-2")
    assert value("gene_tp53", negative) == 0
    assert value("gene_tp53", sequence(CHR17_37, TP53_R273_37, "T", "C"), negative) is None


@pytest.mark.parametrize(("accession", "position"), [(CHR7_37, EGFR_L858_37), (CHR7_38, EGFR_L858_38)])
def test_a_rule_that_names_the_change_is_not_met_by_the_place(accession: str, position: int) -> None:
    """EGFR codon 858 may hold another change than L858R."""
    assert value("gene_egfr", sequence(accession, position, "G", "T")) is None


@pytest.mark.parametrize(
    ("observed", "replaced", "expected"),
    [
        ("-", "GGAATTAAGAGAAGC", 1),  # E746_A750del, 15 bases
        ("G", "GGGAATTAAGAGAAGC", 1),
        ("-", "GGAATTAAGAGAAG", None),
        ("T", "G", None),
        ("-", "", None),
    ],
)
def test_a_loss_of_whole_codons_in_exon_19_of_egfr_counts(observed: str, replaced: str, expected: float | None) -> None:
    """Not a shift of the frame, not a substitution, not an unknown loss."""
    assert value("gene_egfr", sequence(CHR7_37, 55242465, observed, replaced)) == expected


def test_a_shift_of_the_frame_is_no_change_of_a_listed_codon() -> None:
    """Oncogenes are switched on by substitutions."""
    assert value("gene_kras", sequence(CHR12_37, KRAS_G12_37, "CT", "C")) is None


@pytest.mark.parametrize("alleles", [("", "C"), ("C", "C")])
def test_an_allele_that_does_not_differ_is_no_variant(alleles: tuple[str, str]) -> None:
    """The reference read as a finding would be a mutation."""
    same = sequence(CHR12_37, KRAS_G12_37, *alleles)
    assert value("gene_kras", same) is None
    assert "no-value" in codes(same)


def test_a_sequence_without_variants_or_outside_the_genes_is_an_issue() -> None:
    """Nothing is dropped silently."""
    assert codes(sequence(CHR12_37, 1, "T", "C", variant=[])) == {"no-value"}
    assert codes(sequence(CHR12_37, 1000, "T", "C")) == {"gene-unknown"}
    assert codes(sequence(CHR12_37, 1, "T", "C", variant=[{"observedAllele": "T"}])) == {"gene-unknown"}


@pytest.mark.parametrize(
    ("observed", "replaced", "expected"),
    [("CGGC", "C", 1), ("C", "CGGC", None), ("A", "C", None), ("CGG", "C", None)],
)
def test_a_gain_of_whole_codons_in_exon_20_of_egfr_counts(observed: str, replaced: str, expected: float | None) -> None:
    """Not a loss, not a substitution, not a shift."""
    assert value("gene_egfr", sequence(CHR7_37, 55249010, observed, replaced)) == expected


def test_an_end_may_be_left_out() -> None:
    """Then it is the place of one base."""
    place = [{"start": KRAS_G12_37, "observedAllele": "T", "referenceAllele": "C"}]
    assert value("gene_kras", sequence(CHR12_37, 1, "", "", variant=place)) == 1


@pytest.mark.parametrize(("observed", "expected"), [("T", 1), ("TGG", None), ("-", None)])
def test_without_the_replaced_allele_only_a_single_base_is_read(observed: str, expected: float | None) -> None:
    """More bases may be a shift."""
    place = [{"start": KRAS_G12_37, "end": KRAS_G12_37, "observedAllele": observed}]
    assert value("gene_kras", sequence(CHR12_37, 1, "", "", variant=place)) == expected


@pytest.mark.parametrize("accession", ["NM_004985.5", "NP_004976.2", "NG_007524.2", "ENST00000311936.8", "LRG_344t1"])
def test_positions_on_a_transcript_are_not_moved_to_a_chromosome(accession: str) -> None:
    """Codon 12 of KRAS begins at base 34 of its coding sequence, but where that begins is not known here."""
    located = sequence(accession, 35, "T", "G")
    assert codes(located) == {"reference-not-read"}
    assert value("gene_kras", located) is None
