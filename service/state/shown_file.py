"""What is remembered of shown cards in the SQLite file, for all processes of one machine and over restarts."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from service.clock import Now
from service.state.feedback import StateDownError
from service.state.sqlite_file import connected

_TABLE = """
CREATE TABLE IF NOT EXISTS shown (name TEXT PRIMARY KEY, value BLOB NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shown_until ON shown (until);
"""
_TIDY_SECONDS = 3_600.0


class SqliteShown:
    """`until` is in seconds since 1970."""

    def __init__(self, file: Path, now: Now) -> None:
        """Raises StateDownError where the file cannot be opened or is none of SQLite's."""
        self._now = now
        self._tidy_at = 0.0
        try:
            self._db = connected(file)
            self._db.executescript(_TABLE)
        except sqlite3.Error as error:
            raise StateDownError from error

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        now = self._now().timestamp()
        try:
            if now >= self._tidy_at:
                self._db.execute("DELETE FROM shown WHERE until <= ?", (now,))
                self._tidy_at = now + _TIDY_SECONDS
            self._db.execute("INSERT OR REPLACE INTO shown VALUES (?, ?, ?)", (name, value, now + seconds))
        except sqlite3.Error as error:
            raise StateDownError from error

    async def get(self, *names: str) -> Sequence[bytes | None]:
        query = "SELECT value FROM shown WHERE name = ? AND until > ?"
        now = self._now().timestamp()
        try:
            rows = [self._db.execute(query, (name, now)).fetchone() for name in names]
        except sqlite3.Error as error:
            raise StateDownError from error
        return [bytes(row[0]) if row else None for row in rows]

    async def close(self) -> None:
        self._db.close()
