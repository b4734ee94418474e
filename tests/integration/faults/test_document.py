"""docs/faults.md says what the rows say."""

from tests.integration.faults.document import DOCUMENT, document


def test_the_page_is_true() -> None:
    """Every fault, what the caller sees, marker and meter are those that are tested."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()
