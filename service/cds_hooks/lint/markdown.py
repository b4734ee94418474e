"""`detail`: GitHub-flavoured Markdown that every client shows as it was meant.

HTML is allowed within Markdown, but clients take it out, show its text, or let it act; a table with a row of other
length loses cells.
"""

import re
from collections.abc import Iterator

from service.cds_hooks.lint.finding import Finding

_HTML = re.compile(r"(?<!\\)</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>|(?<!\\)<!--")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_BORDER = re.compile(r"(?<!\\)\|")
_DELIMITERS = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")


def markdown_findings(detail: str, path: str) -> Iterator[Finding]:
    plain = _CODE.sub("", detail)
    if tag := _HTML.search(plain):
        yield Finding(path, f"holds HTML ({tag[0][:20]}): clients take it out or show it as text", "advice", "85")
    for block in re.split(r"\n\s*\n", plain):
        rows = [line for line in block.splitlines() if line.lstrip().startswith("|")]
        if rows and (fault := _fault_of_table(rows)):
            yield Finding(path, f"{fault}: {rows[0][:40]}", "advice", "85")


def _fault_of_table(rows: list[str]) -> str:
    if len(rows) < 2 or not _DELIMITERS.fullmatch(rows[1].strip()):
        return "rows between | without a line |---| below the first are no table"
    lengths = {len(_BORDER.findall(row.strip())) for row in rows}
    return "a table has rows of different length" if len(lengths) > 1 else ""
