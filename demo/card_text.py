"""A card as people read it in a terminal: its Markdown laid out as plain text."""

import itertools
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from fhir_mappings.concepts import catalogue

WIDTH = 100
PAIRS = 3


def card_text(card: Mapping[str, Any]) -> str:
    """Summary, detail with its table in columns, source. Markdown escapes and emphasis are taken away."""
    lines = ["=" * WIDTH, f"[{card['indicator']}] {card['summary']}", "=" * WIDTH]
    for block in str(card.get("detail", "")).split("\n\n"):
        lines += [*(_table(block) if block.startswith("|") else textwrap.wrap(_plain(block), WIDTH)), ""]
    source = card["source"]
    lines.append(f"Source: {source['label']} {source.get('url', '')}".rstrip())
    return "\n".join(lines)


def interaction_text(assessment: Mapping[str, Any]) -> str:
    """The strongest pairs of the card's extension, a line each; "" where there are none (nobody was scored)."""
    pairs = assessment.get("interactions", ())[:PAIRS]
    if not pairs:
        return ""
    lines = ["", "Say together more (+) or less (-) than the sum of each alone, in log-risk; associations, not causes:"]
    for pair in pairs:
        one, other = (catalogue().schema[key].label_en for key in pair["features"])
        lines.append(f"  {pair['value']:+.3f}  {one} with {other}")
    return "\n".join([*lines, ""])


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)\*\*", "", text)).replace("\n", " ")


def _table(block: str) -> list[str]:
    """In columns, but the first one: its text stands above the rows that share it, and its heading above all."""
    head, *rows = [
        [_plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in block.splitlines()
        if not re.fullmatch(r"[|\- ]+", line)
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(1, len(head))]
    lines = [f"{head[0]}:", _columns(head, widths)]
    for first, group in itertools.groupby(rows, key=lambda row: row[0]):
        lines += [first, *(_columns(row, widths) for row in group)]
    return lines


def _columns(row: list[str], widths: list[int]) -> str:
    return "  ".join(["", *(cell.ljust(width) for cell, width in zip(row[1:], widths, strict=True))]).rstrip()
