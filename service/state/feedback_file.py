"""Cards and feedback in one SQLite file, for all processes of one machine and over restarts."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from service.clock import Now
from service.state.feedback import CardIssued, FeedbackGiven, Kept, StateDownError, new_ones, oldest
from service.state.sqlite_file import connected

_TABLES = """
CREATE TABLE IF NOT EXISTS card_issued (
    card TEXT, day TEXT, service TEXT NOT NULL, client TEXT NOT NULL, entity TEXT NOT NULL, factor TEXT NOT NULL,
    PRIMARY KEY (card, day)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS card_issued_day ON card_issued (day);
CREATE TABLE IF NOT EXISTS feedback (
    card TEXT, outcome TEXT NOT NULL, at TEXT, day TEXT NOT NULL, received TEXT NOT NULL, service TEXT NOT NULL,
    client TEXT, reason TEXT NOT NULL, comment TEXT NOT NULL,
    PRIMARY KEY (client, card, at)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class SqliteFeedback:
    """Days are stored as ISO text, which sorts by time."""

    def __init__(self, file: Path, now: Now, days: int) -> None:
        """Raises StateDownError where the file cannot be opened or is none of SQLite's."""
        self._now = now
        self._days = days
        self._forgotten: date | None = None
        try:
            self._db = connected(file)
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            raise StateDownError from error

    async def issued(self, card: CardIssued) -> None:
        row = (card.card, card.day.isoformat(), card.service, card.client, card.entity, card.factor)
        try:
            self._forget()
            self._db.execute("INSERT INTO card_issued VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
        except sqlite3.Error as error:
            raise StateDownError from error

    async def given(self, feedback: Sequence[FeedbackGiven]) -> Sequence[FeedbackGiven]:
        try:
            self._forget()
            with self._db:  # one transaction
                self._db.execute("BEGIN IMMEDIATE")
                added = [self._add(one) for one in feedback]
        except sqlite3.Error as error:
            raise StateDownError from error
        return new_ones(feedback, added)

    def _add(self, one: FeedbackGiven) -> bool:
        days = (one.day.isoformat(), one.received.isoformat())
        row = (one.card, one.outcome, one.at, *days, one.service, one.client, one.reason, one.comment)
        done = self._db.execute("INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
        return done.rowcount == 1

    async def kept(self, first: date) -> Kept:
        try:
            self._forget()
            feedback = self._db.execute("SELECT * FROM feedback WHERE day >= ?", (first.isoformat(),)).fetchall()
            cards = self._db.execute(
                "SELECT * FROM card_issued WHERE day >= ?1 OR card IN (SELECT card FROM feedback WHERE day >= ?1)",
                (first.isoformat(),),
            ).fetchall()
        except sqlite3.Error as error:
            raise StateDownError from error
        return Kept(
            [CardIssued(card, date.fromisoformat(day), *rest) for card, day, *rest in cards],
            [
                FeedbackGiven(card, outcome, at, date.fromisoformat(day), date.fromisoformat(received), *rest)
                for card, outcome, at, day, received, *rest in feedback
            ],
        )

    async def key(self, fresh: bytes) -> bytes:
        try:
            self._db.execute("INSERT INTO secret VALUES ('card-key', ?) ON CONFLICT DO NOTHING", (fresh,))
            ((kept,),) = self._db.execute("SELECT value FROM secret WHERE name = 'card-key'")
        except sqlite3.Error as error:
            raise StateDownError from error
        return bytes(kept)

    def _forget(self) -> None:
        """Once a day, and at the start: a shorter `feedback.days` holds for what was kept before."""
        today = self._now().date()
        if self._forgotten != today:
            still = (oldest(self._now, self._days).isoformat(),)
            self._db.execute("DELETE FROM card_issued WHERE day < ?", still)
            self._db.execute("DELETE FROM feedback WHERE received < ?", still)
            self._forgotten = today

    async def close(self) -> None:
        self._db.close()
