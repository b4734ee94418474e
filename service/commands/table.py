"""Tables of plain text that fit the terminal: columns that may be narrowed wrap their cells."""

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import msgspec

_BETWEEN = "  "
_WORD = re.compile(r"[^\s-]+-?")  # lines are broken after hyphens too
_NARROWEST, _LONG_WORD = 8, 18  # a word longer than that may be cut
_PIPED = 100  # where no terminal says how wide it is, nor COLUMNS


class Column(msgspec.Struct, frozen=True):
    """`wraps`: may be narrowed below its longest cell. `right`: numbers."""

    title: str
    wraps: bool = False
    right: bool = False


def terminal_width() -> int:
    return max(60, min(shutil.get_terminal_size((_PIPED, 24)).columns, 160))


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], width: int, indent: str = "") -> list[str]:
    """The lines of a table at most `width` wide, its titles first; a column without any text is left out."""
    filled = list(rows)
    kept = [i for i in range(len(columns)) if any(row[i] for row in filled)]
    shown = [columns[i] for i in kept]
    cells = [[column.title for column in shown], *([row[i] for i in kept] for row in filled)]
    widths = _widths(shown, cells, width - len(indent))
    return [indent + line for row in cells for line in _lines(shown, row, widths)]


def paragraph(text: str, width: int, first: str = "") -> list[str]:
    """Text wrapped at spaces, the first line after `first`, the others two columns further in."""
    others = " " * (len(first) if first.strip() else len(first) + 2)
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Natural widths; the widest of the columns that wrap gives way until all fit, as far as its words allow."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    least = [min(_LONG_WORD, max(_NARROWEST, *(_longest_word(row[i]) for row in cells))) for i in range(len(columns))]
    room = width - len(_BETWEEN) * (len(columns) - 1)
    while sum(widths) > room:
        yielding = [i for i, column in enumerate(columns) if column.wraps and widths[i] > least[i]]
        if not yielding:
            break
        widths[max(yielding, key=lambda i: widths[i])] -= 1
    return widths


def _longest_word(cell: str) -> int:
    return max((len(word) for word in _WORD.findall(cell)), default=0)


def _lines(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    wrapped = [
        textwrap.wrap(cell, width) if column.wraps else [cell]
        for column, cell, width in zip(columns, row, widths, strict=True)
    ]
    for parts in zip_longest(*wrapped, fillvalue=""):
        placed = [
            part.rjust(width) if column.right else part.ljust(width)
            for column, part, width in zip(columns, parts, widths, strict=True)
        ]
        yield _BETWEEN.join(placed).rstrip()
