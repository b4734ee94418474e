"""What is remembered for a time in the SQLite file, for all processes of one machine and over restarts."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from service.clock import Now
from service.state.feedback import StateDownError
from service.state.sqlite_file import connected

Table = Literal["shown", "cached"]


class SqliteExpiring:
    """A table of its own for each use. `until` is in seconds since 1970."""

    def __init__(self, file: Path, now: Now, table: Table, tidy_seconds: float = 3_600.0) -> None:
        """What is over leaves the file at the first `put` after `tidy_seconds`.

        Raises StateDownError where the file cannot be opened or is none of SQLite's.
        """
        self._now = now
        self._tidy_at = 0.0
        self._tidy_seconds = tidy_seconds
        self._tidy = f"DELETE FROM {table} WHERE until <= ?"  # noqa: S608 - one of two names of ours, here and below
        self._put = f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)"  # noqa: S608
        self._get = f"SELECT value FROM {table} WHERE name = ? AND until > ?"  # noqa: S608
        try:
            self._db = connected(file)
            self._db.executescript(
                f"CREATE TABLE IF NOT EXISTS {table}"
                " (name TEXT PRIMARY KEY, value BLOB NOT NULL, until REAL NOT NULL) WITHOUT ROWID;"
                f"CREATE INDEX IF NOT EXISTS {table}_until ON {table} (until);"
            )
        except sqlite3.Error as error:
            raise StateDownError from error

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        now = self._now().timestamp()
        try:
            if now >= self._tidy_at:
                self._db.execute(self._tidy, (now,))
                self._tidy_at = now + self._tidy_seconds
            self._db.execute(self._put, (name, value, now + seconds))
        except sqlite3.Error as error:
            raise StateDownError from error

    async def get(self, *names: str) -> Sequence[bytes | None]:
        now = self._now().timestamp()
        try:
            rows = [self._db.execute(self._get, (name, now)).fetchone() for name in names]
        except sqlite3.Error as error:
            raise StateDownError from error
        return [bytes(row[0]) if row else None for row in rows]

    async def close(self) -> None:
        self._db.close()
