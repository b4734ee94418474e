"""Regions studied: which genes were sequenced, so that silence about them means something."""

from typing import Any

import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.readers.all_resources import read_record
from fhir_mappings.record import Retrieval
from tests.unit.fhir_mappings.resources_of import (
    AT,
    HGNC,
    HGVS,
    Resource,
    codes,
    component,
    concept,
    finding,
    observation,
    record,
    value,
    variant,
)

KRAS, BRAF, STK11, ALK = "HGNC:6407", "HGNC:1097", "HGNC:11389", "HGNC:427"


def region(*genes: str, **members: Any) -> Resource:
    """As mCODE's genomic region studied, with a list of genes."""
    parts = [component("48018-6", valueCodeableConcept=concept(gene, HGNC)) for gene in genes]
    return observation("53041-0", component=[*parts, *members.pop("parts", [])], **members)


def test_a_gene_that_was_sequenced_and_not_reported_is_zero() -> None:
    """The region is the source."""
    found = finding("gene_stk11", region(STK11, KRAS, id="r"))
    assert (found.value, found.sources, found.rule) == (
        0, ("Observation/r",), "in the region studied, not reported",
    )  # fmt: skip
    assert value("gene_tp53", region(STK11)) is None


def test_a_reported_variant_stands_above_the_region() -> None:
    """Another gene of the same region stays 0."""
    both = [region(KRAS, BRAF), variant(KRAS, "KRAS", "p.Gly12Asp")]
    assert [value(key, *both) for key in ("gene_kras", "gene_braf")] == [1, 0]


@pytest.mark.parametrize(
    "report",
    [
        variant(KRAS, "KRAS", "p.?"),
        variant(KRAS, "KRAS", "p.Gly12Asp", present="LA11883-8"),
        variant(KRAS, "KRAS", "p.Gly12Asp", modifierExtension=[{"url": "urn:x"}]),
        variant(KRAS, "NRAS", "p.Gly12Asp"),
    ],
)
def test_a_variant_that_may_be_there_leaves_the_gene_missing(report: Resource) -> None:
    """Its effect, its presence, its modifier or its gene cannot be told."""
    assert value("gene_kras", region(KRAS), report) is None


def test_sequencing_does_not_exclude_a_rearrangement() -> None:
    """ALK was sequenced; its fusions were not looked for."""
    assert value("gene_alk", region(ALK)) is None
    assert "test-cannot-exclude" in codes(region(ALK))


@pytest.mark.parametrize("code", ["36908-2", "51959-5"])
def test_a_part_of_a_gene_excludes_nothing(code: str) -> None:
    """Named changes, or ranges of bases, were all that was looked at."""
    limited = region(KRAS, parts=[component(code, valueCodeableConcept=concept("NM_004985.5:c.35G>A", HGVS))])
    assert value("gene_kras", limited) is None
    assert codes(limited) == {"test-cannot-exclude"}


def test_nothing_is_concluded_where_variants_may_be_missing() -> None:
    """A page of an answer failed; another query than that for the reports does not matter."""
    elsewhere = record(region(KRAS), retrieval=(Retrieval("imaging", "search", "failed"),))
    assert [f.value for f in read_record(elsewhere, catalogue(), AT).findings if f.feature == "gene_kras"] == [0.0]
    for state, expected in (("complete", [0.0]), ("partial", []), ("failed", [])):
        found = read_record(
            record(region(KRAS), retrieval=(Retrieval("genetics", "search", state),)),  # type: ignore[arg-type]
            catalogue(),
            AT,
        ).findings
        assert [f.value for f in found if f.feature == "gene_kras"] == expected


def test_an_unreadable_report_may_be_one_of_the_gene() -> None:
    """Nothing is concluded beside it."""
    broken = variant(KRAS, "KRAS", "p.Gly12Asp") | {"component": "no list"}
    assert value("gene_kras", region(KRAS), broken) is None
    assert "unreadable" in codes(region(KRAS), broken)


def test_a_region_that_does_not_stand_or_names_no_gene_says_why() -> None:
    """As every other Observation does."""
    assert codes(region(KRAS, status="entered-in-error")) == {"status-not-used"}
    assert codes(region(KRAS, days=-1)) == {"after-at"}
    assert codes(region("HGNC:2509")) == {"gene-unknown"}
    swapped = region()
    swapped["component"] = [component("48018-6", valueCodeableConcept=concept(KRAS, HGNC, "NRAS"))]
    assert codes(swapped) == {"gene-conflict"}


def test_a_region_beside_a_positive_report_is_accounted_for() -> None:
    """Each resource is used for something, or says why not."""
    assert "not-needed" in codes(region(KRAS), variant(KRAS, "KRAS", "p.Gly12Asp"))
