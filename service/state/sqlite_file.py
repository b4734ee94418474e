"""How the one SQLite file is opened, for all processes of a machine."""

import sqlite3
from pathlib import Path
from typing import Literal


def connected(file: Path, *, synchronous: Literal["NORMAL", "OFF"] = "NORMAL") -> sqlite3.Connection:
    """A connection that writes at once and waits 0.2 s for other processes. Raises sqlite3.Error.

    With NORMAL a loss of power may forget seconds, never the file.
    """
    database = sqlite3.connect(file, timeout=0.2, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"PRAGMA synchronous = {synchronous}")
    return database
