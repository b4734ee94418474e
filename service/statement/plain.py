"""A statement as plain text: for terminals, and for EHRs that show no markup."""

import itertools
import textwrap
from collections.abc import Iterable

from service.statement.factors import Row, Table
from service.statement.printable import printable
from service.statement.statement import Paragraph, Statement

WIDTH = 80
_GAP = "  "


def rendered(statement: Statement, width: int = WIDTH) -> str:
    """The detail, its paragraphs wrapped at `width` characters; a table is as wide as its cells."""
    blocks = [
        _paragraph(part, width) if isinstance(part, Paragraph) else "\n".join(_table(part, width))
        for part in statement.parts
    ]
    return "\n\n".join(blocks)


def _paragraph(paragraph: Paragraph, width: int) -> str:
    heading = f"{paragraph.heading}: " if paragraph.heading else ""
    return textwrap.fill(printable(heading + paragraph.text), width, break_on_hyphens=False)


def _table(table: Table, width: int) -> Iterable[str]:
    """Grouped by direction; the columns of the values only, since the directions stand above them."""
    yield from textwrap.wrap(printable(f"{table.heading} ({', '.join(table.columns[2:])}):"), width)
    lines = [[printable(cell) for cell in row.cells[1:]] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for direction, rows in itertools.groupby(table.rows, key=lambda row: row.direction):
        yield printable(direction)  # an empty line before those that are taken together
        yield from (_line(row, widths) for row in rows)


def _line(row: Row, widths: list[int]) -> str:
    cells = [printable(cell) for cell in row.cells[1:]]
    return _GAP + _GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
