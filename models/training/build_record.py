"""What a cohort file cannot hold itself: when its clock starts, and what was left out while it was built.

Stands beside the cohort file as `FILE.build.json`.
"""

import hashlib
from pathlib import Path

import msgspec

from models.training.cohort import CohortError


class BuildRecord(msgspec.Struct, frozen=True, rename="camel"):
    """`excluded` counts patients by reason, `out_of_range` values by parameter; `sha256` is that of the cohort file."""

    time_zero: str
    excluded: dict[str, int]
    out_of_range: dict[str, int]
    sha256: str


def record_path(file: Path) -> Path:
    return file.with_name(f"{file.name}.build.json")


def write_build_record(file: Path, time_zero: str, excluded: dict[str, int], out_of_range: dict[str, int]) -> None:
    """Write the record of the cohort `file`, which must be there already."""
    record = BuildRecord(time_zero, excluded, out_of_range, _digest(file))
    record_path(file).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


def read_build_record(file: Path) -> BuildRecord | None:
    """The record of a cohort file; None where there is none, or where it tells of another state of the file.

    Raises CohortError where the record cannot be read.
    """
    path = record_path(file)
    if not path.exists():
        return None
    try:
        record = msgspec.json.decode(path.read_bytes(), type=BuildRecord)
    except (OSError, msgspec.DecodeError) as error:
        raise CohortError(f"{path.name}: cannot be read: {error}") from error
    return record if record.sha256 == _digest(file) else None


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
