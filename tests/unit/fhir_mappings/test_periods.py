"""Whether a period covers the moment of assessment."""

from datetime import UTC, datetime

import pytest

from fhir_mappings.periods import covers
from fhir_mappings.resources.datatypes import Period

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "covered"),
    [
        ("", "", True),
        ("2026-11-28T12:00:00Z", "2026-11-28T12:00:00Z", True),
        ("2026-11-28T12:00:01Z", "", False),
        ("", "2026-11-28T11:00:00Z", False),
        ("2026-11-28T14:00:00+02:00", "", True),
        # a day lasts until it is over everywhere, and begins where it begins first
        ("2026-11-29", "", True),
        ("2026-11-30", "", False),
        ("", "2026-11-28", True),
        ("", "2026-11-27", False),
        # so does a month, and a year
        ("2026-11", "2026-11", True),
        ("2026-12", "", False),
        ("", "2026-10", False),
        ("2026", "2026", True),
        ("2027", "", False),
        ("", "2025", False),
        ("", "2025-12", False),
        # what means "for ever", and what nobody can read, is no bound
        ("", "9999-12-31", True),
        ("", "9999-12-31T23:59:59Z", True),
        ("soon", "never", True),
        ("2026-13", "2026-02-30", True),
        ("1-2-3-4", "20261127", True),
        ("2027-01-01", "2026-01-01", True),
        ("2026-06-01", "2026-01-01", True),
        ("2026-06-01", "2026-06-01", False),
        ("2026-06-01T12:00:01Z", "2026-06-01T12:00:00Z", True),
    ],
)
def test_a_period_covers_the_moment(start: str, end: str, *, covered: bool) -> None:
    """From the first moment of its start to the last of its end; in doubt it does."""
    assert covers(Period(start, end), AT) == covered


@pytest.mark.parametrize(
    ("end", "moment", "covered"),
    [
        ("2026-11-27", datetime(2026, 11, 28, 11, 59, tzinfo=UTC), True),
        ("2026-11-27", datetime(2026, 11, 28, 12, tzinfo=UTC), False),
        ("2026-12", datetime(2026, 12, 15, tzinfo=UTC), True),
        ("2026-12", datetime(2027, 1, 1, 12, tzinfo=UTC), False),
        ("2026-11", datetime(2026, 12, 1, 12, tzinfo=UTC), False),
    ],
)
def test_an_end_lasts_until_it_is_over_everywhere(end: str, moment: datetime, *, covered: bool) -> None:
    """At UTC-12, which is noon in UTC; the last month of a year too."""
    assert covers(Period(end=end), moment) == covered
