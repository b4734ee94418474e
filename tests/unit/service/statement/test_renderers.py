"""One statement in three markups: nothing in it can become markup."""

import pytest

from service.statement import html, plain
from service.statement.factors import Row, Table
from service.statement.printable import printable
from service.statement.statement import Statement
from tests.unit.service.statement.hostile import (
    COLUMNS,
    HOSTILE,
    Read,
    check_html,
    check_markdown,
    check_unseen,
    statement,
)


@pytest.mark.parametrize("check", [check_html, check_markdown, check_unseen])
def test_hostile_text_is_shown_as_text(check: object) -> None:
    """Scripts, links, tables, code, bidirectional overrides (tests/property tries more)."""
    assert callable(check)
    for text in HOSTILE:
        check(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u202eb\u2069c\u061cd", "abcd"),
        ("one\r\n\ttwo\u2028three", "one two three"),
        ("\x1b[31mred", "[31mred"),
        ("9,8\u202fg/dl · 10⁹/L ≥ ×1.4 ° ▲", "9,8\u202fg/dl · 10⁹/L ≥ ×1.4 ° ▲"),
    ],
)
def test_what_is_seen_stays(text: str, expected: str) -> None:
    """Narrow spaces, signs and superscripts stay; line breaks become spaces."""
    assert printable(text) == expected


def test_the_table_has_headers_with_a_scope() -> None:
    """A column is read with its heading, a row with its input; the fragment states its language."""
    tags = Read(html.rendered(statement("x"))).tags
    assert tags[0] == ("div", {"lang": "en"})
    scopes = [attributes["scope"] for tag, attributes in tags if tag == "th"]
    assert scopes == ["col"] * len(COLUMNS) + ["row"]
    assert ("caption", {}) in tags


def test_plain_text_groups_by_direction() -> None:
    """The direction stands above its factors; those taken together stand apart."""
    rows = (Row("▲ less", "Albumin", "29 g/L", "3 days", "70", "×1.4"), Row("", "the other 2 inputs", factor="×1.1"))
    table = Table("Against a typical patient", COLUMNS, rows)
    assert plain.rendered(Statement("en", "", (table,))).split("\n") == [
        "Against a typical patient (Value, Age, Patients, Hazard):",
        "▲ less",
        "  Albumin             29 g/L  3 days  70  ×1.4",
        "",
        "  the other 2 inputs                      ×1.1",
    ]


def test_a_long_label_goes_on_in_the_next_line() -> None:
    """No line of a table is wider than the page while labels can be wrapped; the other cells stay whole."""
    row = Row("▲ worse", "Histology: mucinous or signet ring", "9.8 10⁹/L", "24 days", "1,008", "×1.1")
    table = Table("Factors", COLUMNS, (row, Row("▲ worse", "Age", "80 years", "", "90", "×1.6")))
    lines = plain.rendered(Statement("en", "", (table,)), 60).splitlines()[2:]
    assert lines == [
        "  Histology: mucinous or     9.8 10⁹/L  24 days  1,008  ×1.1",
        "    signet ring",
        "  Age                        80 years            90     ×1.6",
    ]
