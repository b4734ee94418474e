"""How far the way through the house is walked, parameter by parameter."""

from pathlib import Path

import pytest

from tests.corpus.parameter_table import DOCUMENT, HEAD, reach, table

pytestmark = pytest.mark.corpus


def test_the_table_in_the_documentation_is_true(corpus: Path) -> None:
    """docs/parameters.md says what is read, seen in others' data, trained and relevant; no weight is without effect."""
    columns = reach(corpus)
    assert len(columns.read) >= 80
    assert len(columns.others) >= 70
    assert columns.relevant <= columns.trained
    assert table(columns) == DOCUMENT.read_text(encoding="utf-8").removeprefix(HEAD).rstrip("\n")
