"""docs/mapping-issues.md is the closed list of issue codes."""

import re
from pathlib import Path
from typing import get_args

from fhir_mappings.finding import Severity
from fhir_mappings.issue_words import WORDS
from tests.architecture.issue_codes import PACKAGE, raised, severities, untraced

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


def test_every_code_has_a_few_words_for_tables_and_no_other() -> None:
    """What `mapping explain` says in short is as complete as the page."""
    assert set(WORDS) == raised()
    assert all(words and not words.endswith(".") for words in WORDS.values())


def test_every_code_can_be_followed_to_its_text() -> None:
    """None is made in a way that the search does not see."""
    assert untraced() == []


def test_a_code_is_found_wherever_it_stands(tmp_path: Path) -> None:
    """As an argument, by keyword, by name, by a condition, as a reason that is returned, outside any function."""
    (tmp_path / "a.py").write_text(
        "NAMED = 'by-name'\n"
        "TYPED: str = 'by-typed-name'\n"
        "WHOLE = Issue('error', 'by-module', '')\n"
        "def f(x) -> tuple[str, str] | None:\n"
        "    code = {'s': 'by-table'}.get(x)\n"
        "    one, text = 'by-pair', 'text of it'\n"
        "    Issue('warning', 'by-argument', 'text'), Issue('error', NAMED, ''), Issue('error', code, '')\n"
        "    Issue('error', TYPED, ''), Issue('error', one, text), Issue(severity='error', code='by-keyword')\n"
        "    raise NotUsableError('by-error' if x else 'by-choice', 'other-text')\n"
        "    return 'by-return', 'text'\n"
    )
    ways = (
        "argument", "name", "typed-name", "table", "error", "choice", "return", "module", "pair", "keyword",
    )  # fmt: skip
    assert raised(tmp_path) == {f"by-{way}" for way in ways}
    assert untraced(tmp_path) == []


def test_a_code_is_found_through_functions_that_hand_it_on(tmp_path: Path) -> None:
    """From file to file, however many lie between."""
    (tmp_path / "a.py").write_text(
        "def note(text, code): return Issue('warning', code, text)\n"
        "class Reader:\n    def say(self, code): return note('text', code)\n"
    )
    (tmp_path / "b.py").write_text("note('text', 'near')\nreader.say('far')\nnote('text', code='named')\n")
    assert raised(tmp_path) == {"near", "far", "named"}


def test_a_code_that_cannot_be_followed_is_named(tmp_path: Path) -> None:
    """By file and line."""
    (tmp_path / "a.py").write_text("def f(x):\n    return Issue('warning', compute(x), 'text')\n")
    assert untraced(tmp_path) == ["a.py:2"]
