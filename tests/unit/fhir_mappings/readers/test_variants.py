"""Variant Observations -> genes: any positive wins, 0 only where the right test was done."""

from typing import Any

import pytest

from fhir_mappings.concepts import LOINC
from tests.unit.fhir_mappings.resources_of import (
    HGNC,
    Resource,
    ago,
    coded,
    codes,
    component,
    concept,
    encoded,
    finding,
    issues,
    value,
    variant,
)

# HGNC ids as the committee assigned them.
KRAS, NRAS, KIT, EGFR, BRAF, TP53 = "HGNC:6407", "HGNC:7989", "HGNC:6342", "HGNC:3236", "HGNC:1097", "HGNC:11998"
ALK, ERBB2, ESR1, CDKN2A, BRCA1, NTRK1 = "HGNC:427", "HGNC:3430", "HGNC:3467", "HGNC:1787", "HGNC:1100", "HGNC:8031"
PRESENT, ABSENT = "LA9633-4", "LA9634-2"
BENIGN, UNCERTAIN, PATHOGENIC = "LA6675-8", "LA26333-7", "LA6668-3"
MTB = "https://www.medizininformatik-initiative.de/fhir/ext/modul-mtb/CodeSystem/mii-cs-mtb-molekulare-biomarker"


def significance(code: str) -> list[Resource]:
    return [component("53037-8", valueCodeableConcept=concept(code))]


def copies(number: float) -> list[Resource]:
    return [component("82155-3", valueQuantity={"value": number, "code": "1"})]


FUSION = [{"code": concept("three-prime-gene", MTB)}]
GAIN = [{"code": concept("type", "urn:x"), "valueCodeableConcept": concept("high-level-gain", "urn:x")}, *copies(12)]


def kras(protein: str = "p.Gly12Asp", **members: Any) -> Resource:
    return variant(KRAS, "KRAS", protein, **members)


@pytest.mark.parametrize(
    ("gene", "protein", "key", "expected"),
    [
        (KRAS, "p.Gly12Asp", "gene_kras", 1),
        (KRAS, "NP_004976.2:p.(Gly12Asp)", "gene_kras", 1),
        (KRAS, "p.Gly10Asp", "gene_kras", 0),
        (BRAF, "p.V600E", "gene_braf", 1),
        (BRAF, "p.K601E", "gene_braf", 0),
        (EGFR, "p.Leu858Arg", "gene_egfr", 1),
        (EGFR, "p.E746_A750del", "gene_egfr", 1),
        (EGFR, "p.R521K", "gene_egfr", 0),
        (TP53, "p.R273H", "gene_tp53", 1),
        (TP53, "p.R213*", "gene_tp53", 1),
        (BRCA1, "p.Glu23fs", "gene_brca1", 1),
        (BRCA1, "p.Ser1613Gly", "gene_brca1", 0),
    ],
)
def test_a_present_variant_counts_by_the_rule_of_its_gene(gene: str, protein: str, key: str, expected: float) -> None:
    """Listed codons of an oncogene, truncation of a suppressor; another variant leaves a tested gene at 0."""
    found = variant(gene, protein=protein, id="v")
    assert finding(key, found).value == expected
    assert finding(key, found).sources == ("Observation/v",)
    assert ("variant-outside-rule" in codes(found)) is (expected == 0)


def test_any_positive_report_wins() -> None:
    """Over an absent one, an outside one, and one that cannot be told, whichever is newer."""
    others = [kras(present=ABSENT, protein="", days=0.5), kras("p.Gly10Asp", days=0.5), kras("p.?", days=0.5)]
    assert value("gene_kras", kras(days=500), *others) == 1
    assert finding("gene_kras", *others, kras(id="v", days=500)).sources == ("Observation/v",)


def test_a_variant_that_cannot_be_told_leaves_the_gene_missing() -> None:
    """Neither 1 nor 0, and a warning; also beside a negative report."""
    unclear = kras("p.?")
    assert value("gene_kras", unclear) is None
    assert value("gene_kras", unclear, kras(present=ABSENT, protein="")) is None
    [said] = [i for i in issues(unclear) if i.code == "variant-unclassified"]
    assert said.severity == "warning"


@pytest.mark.parametrize("stated", [BENIGN, UNCERTAIN, "LA26334-5"])
def test_a_stated_significance_beats_the_rule(stated: str) -> None:
    """Benign, likely benign and uncertain count as 0 even in a listed codon."""
    assert value("gene_kras", kras(parts=significance(stated))) == 0
    assert value("gene_kras", kras(parts=significance(PATHOGENIC))) == 1


def test_a_gene_reported_absent_is_zero_where_sequencing_can_exclude_it() -> None:
    """KRAS by sequence; ALK needs a search for rearrangements, ERBB2 one for copies too."""
    assert value("gene_kras", kras(present=ABSENT, protein="")) == 0
    for gene, key in ((ALK, "gene_alk"), (ERBB2, "gene_erbb2"), (CDKN2A, "gene_cdkn2a")):
        absent = variant(gene, present=ABSENT)
        assert value(key, absent) is None
        assert "test-cannot-exclude" in codes(absent)


def test_a_rearrangement_that_was_looked_for_and_not_found_is_zero() -> None:
    """The report of a fusion proves that test."""
    assert value("gene_alk", variant(ALK, present=ABSENT, parts=FUSION)) == 0
    assert value("gene_erbb2", variant(ERBB2, present=ABSENT), variant(ERBB2, present=ABSENT, parts=copies(2))) == 0


def test_three_genes_of_one_parameter_must_all_be_tested() -> None:
    """NTRK1 without a fusion says nothing of NTRK3."""
    assert value("gene_ntrk", variant(NTRK1, present=ABSENT, parts=FUSION)) is None
    assert value("gene_ntrk", variant(NTRK1, parts=FUSION)) == 1


def test_one_absent_change_does_not_clear_the_gene() -> None:
    """L858R was not found; exon 19 is another question."""
    absent = variant(EGFR, protein="p.Leu858Arg", present=ABSENT)
    assert value("gene_egfr", absent) is None
    assert "test-cannot-exclude" in codes(absent)


@pytest.mark.parametrize("answer", ["LA11883-8", "LA18198-4", "LA0-0"])
def test_without_presence_or_absence_nothing_is_stated(answer: str) -> None:
    """Indeterminate, no call, unknown."""
    assert value("gene_kras", kras(present=answer)) is None
    assert "presence-not-stated" in codes(kras(present=answer))
    assert "presence-not-stated" in codes(kras(valueCodeableConcept=None))
    assert value("gene_kras", kras(dataAbsentReason=concept("error"))) is None


def test_amplification_fusion_and_loss_are_events_of_their_genes() -> None:
    """Single nucleotides never prove them."""
    assert value("gene_erbb2", variant(ERBB2, parts=GAIN)) == 1
    assert value("gene_alk", variant(ALK, parts=FUSION)) == 1
    assert value("gene_cdkn2a", variant(CDKN2A, parts=copies(0))) == 1
    assert value("gene_erbb2", variant(ERBB2, parts=copies(3))) is None
    assert value("gene_alk", variant(ALK, protein="p.F1174L")) is None


@pytest.mark.parametrize(
    ("gene", "name"),
    [(KIT, "NRAS"), (NRAS, "KIT"), (KRAS, "MYOD1"), ("HGNC:99999", "KRAS")],
)
def test_a_gene_whose_code_and_name_disagree_is_not_used(gene: str, name: str) -> None:
    """A published guide swaps KIT and NRAS: neither is believed."""
    swapped = variant(gene, name, "p.Q61K")
    assert not [key for key in encoded(swapped).findings if key.startswith("gene_")]
    assert "gene-conflict" in codes(swapped)


@pytest.mark.parametrize("name", ["KRAS", "", "KRAS proto-oncogene, GTPase"])
def test_a_full_name_or_none_is_no_disagreement(name: str) -> None:
    """Only a symbol can contradict."""
    assert value("gene_kras", variant(KRAS, name, "p.G12D")) == 1


def test_a_former_symbol_is_no_disagreement() -> None:
    """HER2 is ERBB2."""
    assert value("gene_erbb2", variant(ERBB2, "HER2", parts=GAIN)) == 1


def test_a_contradicting_gene_beside_a_good_one_is_told() -> None:
    """The good one is used all the same."""
    both = variant(KRAS, "KRAS", "p.G12D")
    both["component"][0]["valueCodeableConcept"]["coding"].append({"system": HGNC, "code": KIT, "display": "NRAS"})
    assert value("gene_kras", both) == 1
    assert "gene-conflict" in codes(both)


@pytest.mark.parametrize(
    "gene", [concept("HGNC:2509", HGNC, "CTNNA1"), concept("3845", "urn:ncbi", "KRAS"), {"text": "KRAS"}]
)
def test_a_gene_that_is_not_coded_or_not_in_the_catalogue_is_an_issue(gene: Resource) -> None:
    """A name alone is no code."""
    other = coded("69548-6", PRESENT, component=[component("48018-6", valueCodeableConcept=gene)])
    assert codes(other) == {"gene-unknown"}


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_a_report_that_does_not_stand_says_nothing(status: str) -> None:
    """Nor one from after the assessment."""
    assert value("gene_kras", kras(status=status)) is None
    assert value("gene_kras", kras(days=-1)) is None


def test_a_preliminary_report_is_marked_until_a_final_one_agrees() -> None:
    """The mark travels to the finding."""
    assert finding("gene_kras", kras(status="preliminary")).flags == ("preliminary",)
    assert finding("gene_kras", kras(status="preliminary"), kras()).flags == ()


def test_resistance_genes_count_in_the_latest_sample_only() -> None:
    """ESR1 comes and goes with treatment; KRAS stays."""
    old, new = variant(ESR1, protein="p.D538G", days=300), variant(ESR1, present=ABSENT, days=5)
    assert value("gene_esr1", old) == 1
    assert value("gene_esr1", old, new) == 0
    assert value("gene_kras", kras(days=300), kras(present=ABSENT, protein="", days=5)) == 1


def test_a_coding_change_serves_where_the_protein_change_is_missing() -> None:
    """c.35G>A is codon 12."""
    change = [component("48004-6", valueCodeableConcept={"text": "NM_004985.5:c.35G>A"})]
    assert value("gene_kras", variant(KRAS, parts=change)) == 1


def test_the_object_identifier_of_loinc_is_loinc() -> None:
    """Also for the code that makes an Observation a variant."""
    oid = "urn:oid:2.16.840.1.113883.6.1"
    found = kras()
    found["code"]["coding"][0]["system"] = oid
    found["component"][0]["code"]["coding"][0]["system"] = oid
    assert oid != LOINC
    assert value("gene_kras", found) == 1


def test_the_date_of_a_gene_is_that_of_its_newest_report() -> None:
    """Ever is ever, and it is told when it was last seen."""
    found = finding("gene_kras", kras(days=300), kras(days=20))
    assert found.effective is not None
    assert found.effective.isoformat() == ago(20)


def test_a_change_may_be_a_mere_text() -> None:
    """Of the concept, or a string."""
    as_text = [component("48005-3", valueCodeableConcept={"text": "p.G12D"})]
    as_string = [component("48005-3", valueString="p.G12D")]
    assert value("gene_kras", variant(KRAS, parts=as_text)) == 1
    assert value("gene_kras", variant(KRAS, parts=as_string)) == 1
    assert value("gene_kras", variant(KRAS, parts=[component("48005-3")])) is None


def test_a_conflict_is_told_by_id_and_symbol() -> None:
    """An id that is none is not shown."""
    [said] = [i for i in issues(variant(KIT, "NRAS", "p.Q61K")) if i.code == "gene-conflict"]
    assert said.diagnostics == "HGNC:6342 is KIT, not NRAS"
    [said] = [i for i in issues(variant("Mrs. Doe", "KRAS", "p.G12D")) if i.code == "gene-conflict"]
    assert said.diagnostics == "the id is another gene, not KRAS"


def test_the_rule_that_decided_is_named() -> None:
    """Of one report and of several."""
    assert finding("gene_kras", kras()).rule == "gene rule"
    assert finding("gene_kras", kras(present=ABSENT, protein="")).rule == "reported absent"
    assert finding("gene_kras", kras(parts=significance(BENIGN))).rule == "stated as not pathogenic"


def promoter_change(change: str) -> Resource:
    parts = [component("48004-6", valueCodeableConcept=concept(change, "http://varnomen.hgvs.org"))]
    return variant("HGNC:11730", "TERT", present=ABSENT, parts=parts)


def test_a_promoter_is_unchanged_once_each_listed_position_is_reported_so() -> None:
    """TERT is 0 with both hotspots reported absent, and missing with one of them."""
    both = [promoter_change("NM_198253.3:c.-124C>T"), promoter_change("c.-146C>T")]
    assert value("gene_tert", *both) == 0
    assert value("gene_tert", both[0]) is None


SEQUENCE_ONTOLOGY = "http://sequenceontology.org"


def told(accession: str, code: str = "48019-4") -> list[Resource]:
    """The kind of change, as Genomics Reporting codes it."""
    return [component(code, valueCodeableConcept=concept(accession, SEQUENCE_ONTOLOGY))]


def two_genes(first: str, second: str, **members: Any) -> Resource:
    partner = component("48018-6", valueCodeableConcept=concept(second, HGNC))
    return variant(first, parts=[partner, *members.pop("parts", [])], **members)


# One alteration of each kind that some gene counts: HGNC id, key, what says so.
EVENTS = [
    ("HGNC:10261", "gene_ros1", told("SO:0001565")),
    ("HGNC:9967", "gene_ret", told("SO:0001565")),
    ("HGNC:8031", "gene_ntrk", told("SO:0002086")),
    ("HGNC:8033", "gene_ntrk", told("SO:0001565", "molecular-consequence")),
    ("HGNC:3689", "gene_fgfr2", told("SO:0001565")),
    ("HGNC:1787", "gene_cdkn2a", told("SO:0001893")),
    ("HGNC:1787", "gene_cdkn2a", copies(0)),
    ("HGNC:1773", "gene_cdk4", copies(14)),
    ("HGNC:1582", "gene_ccnd1", copies(6)),
    ("HGNC:6973", "gene_mdm2", told("SO:0001889")),
    ("HGNC:7553", "gene_myc", copies(9)),
    ("HGNC:3688", "gene_fgfr1", GAIN),
    ("HGNC:644", "gene_ar", copies(12)),
]


@pytest.mark.parametrize(("gene", "key", "parts"), EVENTS)
def test_fusions_and_copy_numbers_of_each_gene(gene: str, key: str, parts: list[Resource]) -> None:
    """By a term of the Sequence Ontology, by the number of copies, by the tumour board's word."""
    assert value(key, variant(gene, parts=parts)) == 1


def test_two_genes_in_one_report_are_their_fusion() -> None:
    """EML4 and ALK; the partner need not be in the catalogue."""
    eml4 = "HGNC:1316"
    assert value("gene_alk", two_genes(ALK, eml4)) == value("gene_alk", two_genes(eml4, ALK)) == 1
    assert value("gene_alk", two_genes(ALK, eml4, present=ABSENT)) == 0
    assert value("gene_alk", two_genes(ALK, ALK)) is None


@pytest.mark.parametrize(
    "parts", [told("SO:0000159"), copies(1), [component("48005-3", valueCodeableConcept={"text": "p.G12D"})]]
)
def test_two_genes_are_no_fusion_where_something_else_is_told(parts: list[Resource]) -> None:
    """A deletion over both, a lost copy, a change of the protein that two genes share."""
    assert value("gene_alk", two_genes(ALK, "HGNC:1316", parts=parts)) is None


@pytest.mark.parametrize("number", [1, 3, 5, None])
def test_a_gain_is_no_amplification_and_a_lost_copy_no_deletion(number: float | None) -> None:
    """Between none and six copies nothing is decided, and it is said."""
    parts = [component("82155-3", valueQuantity={"value": number} if number else {})]
    for gene, key in (("HGNC:7553", "gene_myc"), ("HGNC:1787", "gene_cdkn2a")):
        assert value(key, variant(gene, parts=parts)) is None
        assert "variant-unclassified" in codes(variant(gene, parts=parts))


def test_a_number_of_copies_that_is_said_to_be_absent_is_none() -> None:
    """Twelve, but not determined."""
    parts = [component("82155-3", valueQuantity={"value": 12}, dataAbsentReason=concept("error"))]
    assert value("gene_myc", variant("HGNC:7553", parts=parts)) is None


@pytest.mark.parametrize(
    ("gene", "key", "accession", "expected"),
    [
        (BRCA1, "gene_brca1", "SO:0001587", 1),  # stop gained
        (BRCA1, "gene_brca1", "SO:0001575", 1),  # splice donor
        (BRCA1, "gene_brca1", "SO:0001583", 0),  # missense
        (BRCA1, "gene_brca1", "SO:0001627", None),  # intron variant: decides nothing
        (KRAS, "gene_kras", "SO:0001583", None),  # missense of an oncogene: which codon?
    ],
)
def test_the_stated_kind_serves_where_no_change_is_named(
    gene: str, key: str, accession: str, expected: float | None
) -> None:
    """A suppressor that is cut short needs no protein change."""
    assert value(key, variant(gene, parts=told(accession))) == expected
