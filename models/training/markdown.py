"""Tables and figures as the model card and the report write them: texts cannot become markup, names come from files."""

import html
import re
from collections.abc import Iterable, Mapping

from models.training.evaluation_report import Interval

SPECIAL = re.compile(r"([\\`*{}\[\]|#~]|(?<!\w)_|_(?!\w))")  # an underscore inside a word is one


def escaped(text: object) -> str:
    """One line of plain text: no HTML, no Markdown, no table cells of its own."""
    plain = html.escape(" ".join(str(text).split()), quote=False)
    return SPECIAL.sub(r"\\\1", plain)


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table of escaped cells; None is a dash. "" without rows."""
    head = [escaped(cell) for cell in header]
    lines = [head, ["---"] * len(head), *([escaped("–" if c is None else c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) if len(lines) > 2 else ""


def or_dash(interval: Interval | None) -> str:
    return "–" if interval is None else str(interval)


def signed_or_dash(interval: Interval | None) -> str:
    return "–" if interval is None else interval.signed()


def by_horizon(values: Mapping[str, float]) -> str:
    return ", ".join(f"{label}: {value:.3f}" for label, value in values.items()) or "–"
