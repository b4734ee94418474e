"""A table of the catalogue -> its rows. Sites add their own: what is wrong with one is told by file and line."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

Row = dict[str, str]


class CatalogueError(ValueError):
    """A table of the catalogue is not as it must be; the message names file, line and column."""


def read_rows(path: Path) -> list[Row]:
    """Every row, under the names of the head. Raises CatalogueError."""
    return [row for _, row in numbered_rows(path)]


def numbered_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """The same with their lines in the file. Raises CatalogueError where a row is shorter or longer than the head."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file)
            head = next(lines)
            for cells in lines:
                if cells and len(cells) != len(head):
                    told = f"{len(cells)} cells, and the head has {len(head)} (a comma in a cell needs quotes)"
                    raise wrong(path, lines.line_num, told)
                if cells:
                    yield lines.line_num, dict(zip(head, cells, strict=True))
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path.name}: not UTF-8") from error


def number_in(path: Path, line: int, row: Mapping[str, str], column: str) -> float:
    """The number in a cell. Raises CatalogueError where there is none."""
    try:
        return float(row[column])
    except ValueError as error:
        raise wrong(path, line, f"{column}: '{row[column]}' is no number") from error


def wrong(path: Path, line: int, told: str) -> CatalogueError:
    return CatalogueError(f"{path.name}: line {line}: {told}")
