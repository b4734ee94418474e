"""Markdown whose texts cannot become markup: cohort names come from files."""

import html
import re
from collections.abc import Iterable

SPECIAL = re.compile(r"([\\`*_{}\[\]|#~])")


def escaped(text: object) -> str:
    """One line of plain text: no HTML, no Markdown, no table cells of its own."""
    plain = html.escape(" ".join(str(text).split()), quote=False)
    return SPECIAL.sub(r"\\\1", plain)


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table of escaped cells; None is a dash."""
    head = [escaped(cell) for cell in header]
    lines = [head, ["---"] * len(head), *([escaped("–" if c is None else c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
