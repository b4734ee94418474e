"""docs/retrieval.md says what is asked of a FHIR server, and what each query is worth."""

from fhir_mappings.concepts import catalogue
from fhir_mappings.retrieval import queries
from tests.architecture.retrieval_document import DOCUMENT, document, found_by, setting


def test_the_page_is_true() -> None:
    """Templates, order, marks and figures are those of the shipped catalogue and package."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_every_parameter_is_brought_by_some_query() -> None:
    """No parameter is left without a query that could bring it."""
    keys = {query.key for query in queries()}
    assert [f.key for f in catalogue().schema.features if not found_by(f) & keys] == []


def test_the_eight_bring_every_parameter_with_weights() -> None:
    """Where only the marked templates are typed in, no weight of the shipped package lies idle."""
    by_hand = {query.key for query in queries() if query.by_hand}
    trained = [feature for feature in catalogue().schema.features if feature.key in setting().trained]
    assert len(by_hand) == 8
    assert [feature.key for feature in trained if not found_by(feature) & by_hand] == []
