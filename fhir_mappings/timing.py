"""FHIR dates and times -> instants that can be compared (FHIR R4, 2.24.0.1 `date`, `dateTime`, `instant`)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")

# A date without a time began first at UTC+14: measured from there, "today" is never in the future of any hospital, and
# the moment still knows its calendar day. The zone's name marks that there was no time.
WHOLE_DAY = timezone(timedelta(hours=14), "day")


def instant(text: str) -> datetime | None:
    """The moment that a FHIR date, dateTime or instant names, in its own zone; None where it names none.

    A day counts from its first moment anywhere on Earth, a month from its middle (15th), a year from 1 July.
    A time without a zone, which FHIR forbids, is taken as UTC.
    """
    if len(text) <= 10:
        whole = day(text)
        return None if whole is None else datetime(whole.year, whole.month, whole.day, tzinfo=WHOLE_DAY)
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def day(text: str) -> date | None:
    """The calendar day of a FHIR date (the middle of a partial one), None where there is none."""
    match = _DATE.fullmatch(text[:10])
    if match is None:
        return None
    year, month, number = match.groups()
    try:
        return date(int(year), int(month or 7), int(number or (15 if month else 1)))
    except ValueError:
        return None


def written(moment: datetime) -> str:
    """RFC 3339, or the date alone where no time was known."""
    return moment.date().isoformat() if moment.tzinfo is WHOLE_DAY else moment.isoformat(timespec="seconds")


def days_between(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds() / 86_400
