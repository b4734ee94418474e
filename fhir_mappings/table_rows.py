"""A table of the catalogue -> its rows. Sites add their own: what is wrong with one is told by file and line."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

Row = dict[str, str]


class CatalogueError(ValueError):
    """A table of the catalogue is not as it must be; the message names file, line and column."""


class OverlayError(CatalogueError):
    """The codes of a site cannot be read by: what is wrong is the site's, not the catalogue's."""


def read_rows(path: Path) -> list[Row]:
    """Every row, under the names of the head. Raises CatalogueError."""
    return [row for _, row in numbered_rows(path)]


def numbered_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """The same with their lines in the file. Raises CatalogueError where a row is shorter or longer than the head."""
    lines = numbered_cells(path)
    _, head = next(lines, (0, []))
    for line, cells in lines:
        yield line, under_head(path, line, head, cells)


def numbered_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The cells of every line that is not empty, the head's first. Raises CatalogueError where it is no such table."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets mark UTF-8 so
            lines = csv.reader(file)
            for cells in lines:
                if cells:
                    yield lines.line_num, cells
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path.name}: not UTF-8") from error
    except csv.Error as error:
        raise CatalogueError(f"{path.name}: no CSV: {error}") from error


def under_head(path: Path, line: int, head: Sequence[str], cells: Sequence[str]) -> Row:
    """Raises CatalogueError where a row is shorter or longer than the head."""
    if len(cells) != len(head):
        told = f"{len(cells)} cells, and the head has {len(head)} (a comma in a cell needs quotes)"
        raise wrong(path, line, told)
    return dict(zip(head, cells, strict=True))


def number_in(path: Path, line: int, row: Mapping[str, str], column: str) -> float:
    """The number in a cell. Raises CatalogueError where there is none."""
    try:
        return float(row[column])
    except ValueError as error:
        raise wrong(path, line, f"{column}: '{row[column]}' is no number") from error


def wrong(path: Path, line: int, told: str) -> CatalogueError:
    return CatalogueError(f"{path.name}: line {line}: {told}")
