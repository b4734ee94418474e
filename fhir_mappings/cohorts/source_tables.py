"""Reads the tables that public cohorts come in: CSV or tab separated, gzipped or not."""

import csv
import gzip
import math
from collections.abc import Iterator, Sequence
from pathlib import Path


class SourceError(ValueError):
    """A cohort's source files are not what the reader expects; the message names file, row and column."""


class Row(dict[str, str]):
    """The cells of one row by column; `file` and `line` (of the file, from 1) say where it stands."""

    def __init__(self, cells: dict[str, str], file: str, line: int) -> None:
        super().__init__(cells)
        self.file = file
        self.line = line

    def wrong(self, column: str, reason: str) -> SourceError:
        """The error that this row's cell deserves; the cell itself is not repeated beyond 20 letters."""
        return SourceError(f"{self.file}: row {self.line}: {column} {reason}")


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table that has at least `columns`; lines with # before the header are passed over.

    Raises SourceError where the file is missing, cannot be read, lacks a column, or has a row of another length.
    """
    delimiter = "\t" if {".tsv", ".txt"} & set(path.suffixes) else ","
    try:
        with _opened(path) as file:
            comments, header = _up_to_header(file)
            reader = csv.DictReader(file, next(csv.reader([header], delimiter=delimiter), ()), delimiter=delimiter)
            _check_header(path, reader.fieldnames or (), columns)
            for row in reader:
                line = reader.line_num + comments + 1
                if None in row or None in row.values():
                    raise SourceError(f"{path.name}: row {line}: not as many cells as columns")
                yield Row(row, path.name, line)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path.name}: cannot be read: {error}") from error


def number(row: Row, column: str) -> float | None:
    """The cell as a number, None where it is empty. Raises SourceError for text, NaN and infinity."""
    cell = row[column].strip()
    if not cell:
        return None
    try:
        found = float(cell)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise row.wrong(column, f"{cell[:20]!r} is no number")
    return found


def _opened(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - two kinds of text file
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _up_to_header(file: Iterator[str]) -> tuple[int, str]:
    """How many comment lines stand before the header (cBioPortal writes four), and the header."""
    comments = 0
    for line in file:
        if not line.startswith("#"):
            return comments, line
        comments += 1
    return comments, ""


def _check_header(path: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in header]
    if missing:
        raise SourceError(f"{path.name}: column {missing[0]} is missing")
