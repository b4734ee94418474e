"""What several statements say of one gene together."""

from datetime import timedelta

import pytest

from fhir_mappings.gene_rules import Test as GeneTest
from fhir_mappings.readers.gene_evidence import GeneEvidence, Says, gene_findings
from tests.unit.fhir_mappings.resources_of import AT


def said(symbol: str, says: Says, source: str = "a", days: float = 1, *tests: GeneTest) -> GeneEvidence:
    done = frozenset(tests or ("sequence",))
    return GeneEvidence(symbol, says, f"Observation/{source}", AT - timedelta(days=days), tests=done)


def value(*evidence: GeneEvidence) -> float | None:
    findings = gene_findings(evidence).findings
    return findings[0].value if findings else None


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["positive"], 1),
        (["negative"], 0),
        (["unclear"], None),
        (["positive", "negative", "unclear"], 1),
        (["negative", "unclear"], None),
        ([], None),
    ],
)
def test_positive_before_unclear_before_negative(statements: list[Says], expected: float | None) -> None:
    """Any positive wins; a doubt is not outvoted by a 0."""
    evidence = [said("KRAS", says, str(n)) for n, says in enumerate(statements)]
    assert value(*evidence) == value(*reversed(evidence)) == expected


def test_only_those_who_said_it_are_its_sources() -> None:
    """In the order of their names."""
    reading = gene_findings(
        [said("KRAS", "positive", "b"), said("KRAS", "negative", "c"), said("KRAS", "positive", "a")]
    )
    assert reading.findings[0].sources == ("Observation/a", "Observation/b")


def test_a_zero_needs_each_test_of_the_gene_from_whomever() -> None:
    """Sequence from one report, copies from another."""
    sequence, copies = said("ERBB2", "negative"), said("ERBB2", "negative", "b", 1, "copy_number")
    assert value(sequence) is value(copies) is None
    assert value(sequence, copies) == 0
    assert [i.code for i in gene_findings([sequence]).issues] == ["test-cannot-exclude"]


def test_genes_that_share_a_parameter_are_judged_together() -> None:
    """One fusion of three suffices, three tests are needed for none."""
    three = [said(f"NTRK{n}", "negative", str(n), 1, "structural") for n in (1, 2, 3)]
    assert value(*three) == 0
    assert value(*three[:2]) is None
    assert value(*three, said("NTRK3", "positive", "x", 1, "structural")) == 1


def test_of_resistance_genes_the_newest_day_counts() -> None:
    """All reports of that day, and none before."""
    old = said("ESR1", "positive", "old", 100)
    assert value(old, said("ESR1", "negative", "new", 1)) == 0
    assert value(old, said("ESR1", "negative", "new", 1), said("ESR1", "positive", "new2", 1.1)) == 1
    undated = GeneEvidence("ESR1", "positive", "Observation/u", None)
    assert value(undated) == 1
    assert value(undated, said("ESR1", "negative", "new", 1)) == 0
