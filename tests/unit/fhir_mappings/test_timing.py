"""Dates and times as FHIR writes them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fhir_mappings.timing import WHOLE_DAY, day, days_between, in_order, instant, within, written

AT = datetime(2024, 5, 20, 12, tzinfo=UTC)


def known(text: str, at: datetime | None = None) -> datetime:
    moment = instant(text, at)
    assert moment is not None
    return moment


def test_a_time_keeps_its_zone_and_compares_across_zones() -> None:
    """08:00 in Berlin in summer is 06:00 UTC."""
    assert known("2024-05-20T08:00:00+02:00") == datetime(2024, 5, 20, 6, tzinfo=UTC)


def test_a_time_without_a_zone_is_taken_as_utc() -> None:
    """FHIR forbids it; servers send it all the same."""
    assert known("2024-05-20T08:00:00") == datetime(2024, 5, 20, 8, tzinfo=UTC)


def test_a_fraction_of_a_second_and_a_leap_second_are_read() -> None:
    """FHIR allows both."""
    assert known("2024-05-20T08:00:00.123Z").microsecond == 123000
    assert known("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("offset", [-11, -5, 0, 2, 13, 14])
def test_a_date_of_today_is_never_in_the_future(offset: int) -> None:
    """Whatever the hospital's zone, its "today" lies before its now."""
    now = datetime(2024, 5, 20, 0, 0, 1, tzinfo=UTC) - timedelta(hours=offset)
    assert known("2024-05-20") <= now


def test_a_date_of_the_day_after_tomorrow_is_in_the_future() -> None:
    """A date that has begun nowhere on Earth is later than now."""
    assert known("2024-05-22") > AT


@pytest.mark.parametrize(("text", "middle"), [("2022-03", date(2022, 3, 15)), ("2022", date(2022, 7, 1))])
def test_a_partial_date_counts_from_its_middle(text: str, middle: date) -> None:
    """A month is its 15th, a year its 1 July."""
    assert day(text) == middle
    assert known(text).date() == middle


@pytest.mark.parametrize("text", ["2024", "2024-05"])
def test_a_partial_date_that_has_begun_is_not_in_the_future(text: str) -> None:
    """A disease that began "in 2024" had begun on 20 May 2024, though the middle of 2024 was still to come."""
    early = datetime(2024, 5, 3, tzinfo=UTC)
    assert known(text, early) <= early
    assert known(text, early).date() == early.date()


def test_a_partial_date_that_has_not_begun_is_in_the_future() -> None:
    """June lies after a day in May."""
    assert known("2024-06", AT) > AT
    assert known("2025", AT) > AT


@pytest.mark.parametrize(
    "text",
    ["", "today", "2024-13", "2024-02-30", "0000", "24-05-20", "2024-5-2", "99999999999-01-01", "2024-05-20T25:00:00Z",
     "2024-05-20Tnoon", "1000000000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"],
)  # fmt: skip
def test_what_names_no_moment_is_none(text: str) -> None:
    """Never a guess, never an exception."""
    assert instant(text) is None


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_can_be_compared_and_sorted(text: str) -> None:
    """Nonsense dates break nothing."""
    moment = known(text, AT)
    assert days_between(moment, AT) != 0
    assert sorted([in_order(moment), AT])
    assert written(moment) == text


def test_a_date_is_written_as_a_date_and_a_time_as_a_time() -> None:
    """No midnight is invented."""
    assert written(known("2024-05-20")) == "2024-05-20"
    assert written(known("2024-05-20T08:00:00+02:00")) == "2024-05-20T08:00:00+02:00"


def test_days_are_calendar_days_where_a_time_is_missing() -> None:
    """A result of the day 30 days ago is 30 days old at any hour of today."""
    assert days_between(known("2024-04-20"), AT) == 30
    assert days_between(known("2024-05-20T00:00:00Z"), AT) == 0.5


def test_a_later_day_without_a_time_comes_after_what_is_timed_the_day_before() -> None:
    """A date of 20 May is newer than 23:00 of 19 May, wherever that is."""
    assert in_order(known("2024-05-20")) > in_order(known("2024-05-19T23:00:00-05:00"))
    assert in_order(known("2024-05-20")) < in_order(known("2024-05-21T00:00:00+02:00"))


def test_a_day_without_a_time_is_sorted_as_its_noon_in_utc() -> None:
    """Between what is timed in its morning and in its evening."""
    noon = datetime(2024, 5, 20, 12, tzinfo=UTC)
    assert in_order(known("2024-05-20")) == noon
    assert in_order(noon) == noon


def test_a_partial_date_begins_with_its_first_day() -> None:
    """At that moment it has begun; the moment before it has not."""
    first = datetime(2024, 5, 1, tzinfo=WHOLE_DAY)
    assert known("2024-05", first) == first
    assert known("2024-05", first - timedelta(seconds=1)).date() == date(2024, 5, 15)
    assert known("2024-05", datetime(2024, 5, 15, tzinfo=WHOLE_DAY)).date() == date(2024, 5, 15)


def test_a_span_holds_for_times_to_the_second_and_for_dates_to_the_day() -> None:
    """A part without a time belongs to the others of its calendar day only."""
    half_an_hour = timedelta(minutes=30)
    assert within(half_an_hour, [known("2024-05-20T08:00:00Z"), known("2024-05-20T10:30:00+02:00")])
    assert not within(half_an_hour, [known("2024-05-20T08:00:00Z"), known("2024-05-20T08:31:00Z")])
    assert within(half_an_hour, [known("2024-05-20"), known("2024-05-20T23:00:00+02:00")])
    assert not within(half_an_hour, [known("2024-05-20"), known("2024-05-19T10:00:00Z")])


def test_the_zone_of_a_whole_day_is_marked() -> None:
    """Equal offsets do not make a date of a time."""
    assert known("2024-05-20").tzinfo is WHOLE_DAY
    assert known("2024-05-20T00:00:00+14:00").tzinfo is not WHOLE_DAY
