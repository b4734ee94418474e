"""A statement as GitHub-flavoured Markdown: what most EHRs show of a card's detail."""

import re

from service.statement.factors import Table
from service.statement.printable import printable
from service.statement.statement import Paragraph, Statement

_BLOCK = re.compile(r"^(\d{0,9})(?=[-=.])")  # begins a list or a rule
_MARKUP = re.compile(r"[\\`*_{}\[\]<>()#+!|~&]")


def rendered(statement: Statement) -> str:
    """The detail; the summary stands beside it on the card."""
    return "\n\n".join(_paragraph(part) if isinstance(part, Paragraph) else _table(part) for part in statement.parts)


def escaped(text: str) -> str:
    """Text that is shown literally: it may hold `*`, `[` and `|`, as our own labels and units do."""
    return _MARKUP.sub(_literal, printable(text))  # a pattern instead of the function costs five times as much


def _literal(mark: re.Match[str]) -> str:
    return f"\\{mark[0]}"


def _paragraph(paragraph: Paragraph) -> str:
    text = escaped(paragraph.text).strip()  # spaces would make code of it, or keep `**` from closing
    if paragraph.loud and text:  # `****` would be a rule
        return f"**{text}**"
    if paragraph.heading:
        return f"**{escaped(paragraph.heading).strip()}:** {text}"
    return _BLOCK.sub(r"\1\\", text)


def _table(table: Table) -> str:
    # the heading stands over the first column, which says the direction
    head = [table.heading, *table.columns[1:]]
    lines = [_line(head), "|---" * len(head) + "|", *(_line(row.cells) for row in table.rows)]
    return "\n".join(lines)


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(map(escaped, cells)) + " |"
