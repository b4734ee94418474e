"""A statement as plain text: for terminals, and for EHRs that show no markup."""

import itertools
import textwrap
from collections.abc import Iterable

from service.statement.factors import Row, Table
from service.statement.printable import printable
from service.statement.statement import Paragraph, Statement

WIDTH = 80
_GAP = "  "
_LEAST_LABEL = 20


def rendered(statement: Statement, width: int = WIDTH) -> str:
    """The detail, wrapped at `width` characters; of a table the labels are, its other cells stay whole."""
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
    others = sum(len(_GAP) + other for other in widths[1:])
    widths[0] = min(widths[0], max(width - len(_GAP) - others, _LEAST_LABEL))
    for direction, rows in itertools.groupby(table.rows, key=lambda row: row.direction):
        yield printable(direction)  # an empty line before those that are taken together
        for row in rows:
            yield from _lines(row, widths)


def _lines(row: Row, widths: list[int]) -> Iterable[str]:
    """The row, and what of its label does not fit, below and indented."""
    label, *cells = [printable(cell) for cell in row.cells[1:]]
    fits = len(label) <= widths[0]  # as most do; wrapping costs as much as all the rest
    first, *more = [label] if fits else textwrap.wrap(label, max(widths[0], 1), subsequent_indent=_GAP) or [""]
    beside = zip((first, *cells), widths, strict=True)
    yield _GAP + _GAP.join(cell.ljust(width) for cell, width in beside).rstrip()
    yield from (_GAP + part for part in more)
