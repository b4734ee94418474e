"""NDJSON of many patients, sorted by patient on disk, so that one patient's record at a time is in memory.

The lines are copied into a private temporary database (SQLite removes its file as soon as it is open; SQLITE_TMPDIR or
TMPDIR says where). Memory: the ids of all patients, the lines of one, 1,000 lines of input, 16 MiB of cache. Disk: the
lines of the types that are read.
"""

import re
import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import msgspec

from fhir_mappings.decoding import READ_TYPES

_ABSOLUTE = re.compile(r"(https?://.+)/Patient/[^/]+(?:/_history/[^/]+)?")
_PRODUCT = re.compile(rb'"(?:https?://[^"]*/)?Medication/([A-Za-z0-9.-]{1,64})"')
_CACHE_KIB = 16_384
_BATCH = 1_000


class _Named(msgspec.Struct):
    reference: object = None


class _Peek(msgspec.Struct):
    resourceType: object = None  # noqa: N815
    id: object = None
    subject: object = None
    patient: object = None


class PatientLines:
    """A context manager: `add` every line, then go through the patients."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # a temporary file, not memory
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE line (patient TEXT, body BLOB)")
        self._database.execute("CREATE TABLE product (id TEXT PRIMARY KEY, body BLOB)")
        self._waiting: list[tuple[str, bytes]] = []
        self._bases: set[str] = set()
        self.unowned = 0  # resources that name no patient

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, line: bytes) -> None:
        """Keep one resource with its patient; other types are passed over. Raises msgspec.MsgspecError for no JSON."""
        peek = msgspec.json.decode(line, type=_Peek)
        if peek.resourceType not in READ_TYPES:
            return
        if peek.resourceType == "Medication":  # nobody's; it goes with whoever's record names it
            if isinstance(peek.id, str):
                self._database.execute("INSERT OR REPLACE INTO product VALUES (?, ?)", (peek.id, line))
            return
        patient = self._patient(peek)
        if not patient:
            self.unowned += 1
            return
        self._waiting.append((patient, line))
        if len(self._waiting) >= _BATCH:
            self._write()

    def patients(self) -> list[str]:
        """The ids of all patients, in order."""
        self._write()
        self._database.execute("CREATE INDEX IF NOT EXISTS by_patient ON line (patient)")
        return [patient for (patient,) in self._database.execute("SELECT DISTINCT patient FROM line ORDER BY patient")]

    def of(self, patient: str) -> Iterator[bytes]:
        """The lines of one patient, in the order in which they were added, then the products that they name."""
        named: set[str] = set()
        for (body,) in self._database.execute("SELECT body FROM line WHERE patient = ? ORDER BY rowid", (patient,)):
            named.update(found.decode() for found in _PRODUCT.findall(body))
            yield body
        for name in sorted(named):
            yield from (body for (body,) in self._database.execute("SELECT body FROM product WHERE id = ?", (name,)))

    @property
    def bases(self) -> tuple[str, ...]:
        """The one server whose addresses the references have; none where there are several."""
        return tuple(self._bases) if len(self._bases) == 1 else ()

    def _patient(self, peek: _Peek) -> str:
        if peek.resourceType == "Patient":
            return peek.id if isinstance(peek.id, str) else ""
        try:
            named = msgspec.convert(peek.subject or peek.patient, _Named).reference
        except msgspec.ValidationError:
            return ""
        if not isinstance(named, str) or "Patient/" not in named:
            return ""
        absolute = _ABSOLUTE.fullmatch(named)
        if absolute:
            self._bases.add(absolute[1])
        return named.rpartition("Patient/")[2].partition("/")[0]

    def _write(self) -> None:
        self._database.executemany("INSERT INTO line VALUES (?, ?)", self._waiting)
        self._waiting.clear()
