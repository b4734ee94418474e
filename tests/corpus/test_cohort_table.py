"""docs/cohorts.md says what the cohorts hold."""

from pathlib import Path

import pytest

from tests.corpus.cohort_table import DOCUMENT, HEAD, table

pytestmark = pytest.mark.corpus


def test_the_table_in_the_documentation_is_true(corpus: Path) -> None:
    """Rows, deaths, time zero, parameters, exclusions and what is not read are those of the builders."""
    assert DOCUMENT.read_text(encoding="utf-8") == HEAD + table(corpus) + "\n"
