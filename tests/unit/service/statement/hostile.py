"""Texts that mean harm in some markup, in a statement, and what each rendering of it must hold."""

import re
from html.parser import HTMLParser

from service.statement import html, markdown, plain
from service.statement.factors import Row, Table
from service.statement.printable import printable
from service.statement.statement import Paragraph, Statement

COLUMNS = ("Direction", "Input", "Value", "Age", "Patients", "Hazard")
HOSTILE = (
    "<script>alert(1)</script>",
    "a | b |\n| c",
    "`code` ``` ~~~",
    "](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "\u202eevil\u2066\u200f",
    "&lt;b&gt; &#60;",
    '"onload="x',
    "\\| \\",
    "\n\n# heading\n---\n",
    "\x00\x1b[31m\x7f\ud800",
    "**bold** _x_ ~~y~~",
    "- list",
    "12. list",
    "    code",
    "",
)


def statement(text: str) -> Statement:
    """The text wherever one can stand."""
    row = Row(text, text, text, text, text, text)
    parts = (
        Paragraph(text),
        Paragraph(text, f"heading{text}"),
        Paragraph(text, loud=True),
        Table(text, COLUMNS, (row,)),
    )
    return Statement("en", text, parts)


class Read(HTMLParser):
    """What a browser would see: tags with attributes, and the texts of the cells."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self._in_cell = False
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_cell = tag in {"td", "th"}
        if self._in_cell:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data


def check_html(text: str) -> None:
    """No tag but ours, whatever the text; the cells hold it to the letter."""
    read, harmless = Read(html.rendered(statement(text))), Read(html.rendered(statement("x")))
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in harmless.tags]
    assert read.cells[-1] == printable(text)


def check_markdown(text: str) -> None:
    """Every character that means something has a backslash; a table keeps its lines and cells."""
    first, *_, table = markdown.rendered(statement(text)).split("\n\n")
    lines = table.split("\n")
    assert len(lines) == 3
    unescaped = re.sub(r"\\.", "", lines[-1])
    assert unescaped.count("|") == len(COLUMNS) + 1
    assert not set("<>[]`*_#~&\\") & set(unescaped)
    assert re.sub(r"\\(.)", r"\1", markdown.escaped(text)) == printable(text)
    assert not re.match(r"\s|[-+=>#]|\d{1,9}[.)]", first)


def check_unseen(text: str) -> None:
    """No control, no bidirectional sign, no half of a surrogate pair in any rendering."""
    for renderer in (markdown, plain, html):
        rendered = renderer.rendered(statement(text))
        assert all(printable(line) == line for line in rendered.split("\n"))
        rendered.encode()
