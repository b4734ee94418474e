"""Germline variants stand apart from those of the tumour."""

from typing import Any

import pytest

from tests.unit.fhir_mappings.resources_of import Resource, codes, component, concept, finding, value, variant

BRCA1, MLH1, FBN1, CFTR = "HGNC:1100", "HGNC:7127", "HGNC:3603", "HGNC:1884"
PRESENT, ABSENT = "LA9633-4", "LA9634-2"
PATHOGENIC, LIKELY, BENIGN, UNCERTAIN = "LA6668-3", "LA26332-9", "LA6675-8", "LA26333-7"
GERMLINE, LIKELY_GERMLINE, SOMATIC = "LA6683-2", "LA26320-4", "LA6684-0"
FLAG = "gene_germline_pathogenic"


def inherited(
    significance: str | None, gene: str = BRCA1, name: str = "BRCA1", origin: str = GERMLINE, **members: Any
) -> Resource:
    parts = [component("48002-0", valueCodeableConcept=concept(origin))]
    if significance:
        parts.append(component("53037-8", valueCodeableConcept=concept(significance)))
    return variant(gene, name, "p.Glu23fs", parts=parts, **members)


@pytest.mark.parametrize(
    ("significance", "expected"), [(PATHOGENIC, 1), (LIKELY, 1), (BENIGN, 0), (UNCERTAIN, 0), (None, None)]
)
def test_the_stated_significance_decides(significance: str | None, expected: float | None) -> None:
    """Without one, a truncation is no verdict about the germline."""
    assert value(FLAG, inherited(significance)) == expected
    if expected is None:
        assert "significance-not-stated" in codes(inherited(significance))


@pytest.mark.parametrize("origin", [GERMLINE, LIKELY_GERMLINE])
def test_a_germline_variant_is_none_of_the_tumour(origin: str) -> None:
    """The gene of the tumour stays missing."""
    assert value("gene_brca1", inherited(PATHOGENIC, origin=origin)) is None
    assert value("gene_brca1", inherited(PATHOGENIC, origin=SOMATIC)) == 1
    assert value(FLAG, inherited(PATHOGENIC, origin=SOMATIC)) is None


def test_any_pathogenic_variant_wins_whenever_it_was_found() -> None:
    """A later benign one in another gene does not take it back."""
    old, new = inherited(PATHOGENIC, days=2000, id="old"), inherited(BENIGN, MLH1, "MLH1", days=5)
    found = finding(FLAG, old, new)
    assert (found.value, found.sources) == (1, ("Observation/old",))


@pytest.mark.parametrize("answer", [ABSENT, "LA11883-8"])
def test_a_pathogenic_variant_that_was_not_found_is_none(answer: str) -> None:
    """The report describes what was looked for."""
    absent = inherited(PATHOGENIC, present=answer)
    assert value(FLAG, absent) is None
    assert "presence-not-stated" in codes(absent)


@pytest.mark.parametrize(("gene", "name"), [(FBN1, "FBN1"), (CFTR, "CFTR")])
def test_a_gene_that_predisposes_to_no_cancer_does_not_count(gene: str, name: str) -> None:
    """Marfan syndrome and cystic fibrosis are no cancer predisposition."""
    assert value(FLAG, inherited(PATHOGENIC, gene, name)) is None
    assert "gene-unknown" in codes(inherited(PATHOGENIC, gene, name))


def test_a_predisposition_gene_beyond_the_catalogue_counts() -> None:
    """MUTYH has no row of its own."""
    assert value(FLAG, inherited(PATHOGENIC, "HGNC:7527", "MUTYH")) == 1


def test_a_preliminary_verdict_is_marked() -> None:
    """Until a final one is there."""
    assert finding(FLAG, inherited(PATHOGENIC, status="preliminary")).flags == ("preliminary",)
