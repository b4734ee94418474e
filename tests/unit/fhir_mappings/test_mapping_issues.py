"""docs/mapping-issues.md is the closed list of issue codes."""

import re
from pathlib import Path
from typing import get_args

from fhir_mappings.finding import Severity
from tests.unit.fhir_mappings.issue_codes import PACKAGE, raised, severities

PAGE = PACKAGE.parent / "docs" / "mapping-issues.md"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (\w+) \| (.+) \| (.+) \|$", re.MULTILINE)


def test_every_code_that_can_be_raised_is_explained_and_no_other() -> None:
    """In both directions."""
    explained = [code for code, *_ in ROW.findall(PAGE.read_text(encoding="utf-8"))]
    assert len(explained) == len(set(explained))
    assert set(explained) == raised()


def test_every_row_has_a_severity_a_meaning_and_something_to_do() -> None:
    """No cell is empty."""
    for _, severity, meaning, action in ROW.findall(PAGE.read_text(encoding="utf-8")):
        assert severity in get_args(Severity)
        assert meaning.strip().endswith(".")
        assert action.strip().endswith(".")


def test_the_severity_is_that_of_the_code() -> None:
    """Wherever it is written out."""
    explained = {(code, severity) for code, severity, *_ in ROW.findall(PAGE.read_text(encoding="utf-8"))}
    assert severities() - explained == set()


def test_a_code_is_found_wherever_it_stands(tmp_path: Path) -> None:
    """As an argument, through a name, by a condition, as a reason that is returned."""
    (tmp_path / "a.py").write_text(
        "NAMED = 'by-name'\n"
        "def f(x) -> tuple[str, str] | None:\n"
        "    code = {'s': 'by-table'}.get(x)\n"
        "    Issue('warning', 'by-argument', 'text'), Issue('error', NAMED, ''), Issue('error', code, '')\n"
        "    raise NotUsableError('by-error' if x else 'by-choice', 'other-text')\n"
        "    return 'by-return', 'text'\n"
    )
    assert raised(tmp_path) == {f"by-{way}" for way in ("argument", "name", "table", "error", "choice", "return")}
