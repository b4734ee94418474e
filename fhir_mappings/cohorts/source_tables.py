"""Reads the tables that public cohorts come in: CSV or tab separated, gzipped or not."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

Row = dict[str, str]


class SourceError(ValueError):
    """A cohort's source files are not what the reader expects; the message names file and column or row."""


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table that has at least `columns`.

    Raises SourceError where the file is missing, cannot be read, lacks a column, or has a row of another length.
    """
    delimiter = "\t" if {".tsv", ".txt"} & set(path.suffixes) else ","
    try:
        with _opened(path) as file:
            reader = csv.DictReader(file, delimiter=delimiter)
            _check_header(path, reader.fieldnames or (), columns)
            for row in reader:
                if None in row or None in row.values():
                    raise SourceError(f"{path.name}: row {reader.line_num}: not as many cells as columns")
                yield row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path.name}: cannot be read: {error}") from error


def number(row: Row, column: str, path_name: str = "") -> float | None:
    """The cell as a number, None where it is empty. Raises SourceError for text."""
    cell = row[column].strip()
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        where = f"{path_name}: " if path_name else ""
        raise SourceError(f"{where}{column}: {cell[:20]!r} is no number") from None


def _opened(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - two kinds of text file
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _check_header(path: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in header]
    if missing:
        raise SourceError(f"{path.name}: column {missing[0]} is missing")
