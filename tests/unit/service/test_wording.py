"""Values, ages and factors as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from fhir_mappings.timing import written
from service.labels import listed
from service.language.sentences import language
from service.wording import age_text, factor_text, feature_of, number, value_text

ENGLISH, GERMAN = language("en"), language("de")
AT = datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (29.0, "29", "29"),
        (9.84, "9.84", "9,84"),
        (0.5, "0.5", "0,5"),
        (-3.25, "-3.25", "-3,25"),
        (0.0000123, "0.0000123", "0,0000123"),
        (99.96, "100", "100"),
        (0.9999, "1", "1"),
        (250.4, "250", "250"),
        (12500.0, "12,500", "12.500"),
    ],
)
def test_numbers_are_those_of_the_readers_country(value: float, english: str, german: str) -> None:
    """Three digits, no exponent, decimal comma in German."""
    assert (number(value, ENGLISH), number(value, GERMAN)) == (english, german)


@pytest.mark.parametrize(
    ("key", "value", "english", "german"),
    [
        ("lab_hemoglobin", 9.8, "9.8 g/dL", "9,8\u202fg/dl"),
        ("demo_age_at_baseline", 54.0, "54 years", "54\u202fJahre"),
        ("func_pack_years", 1.0, "1 pack-year", "1\u202fPackungsjahr"),
        ("demo_sex_female", 0.0, "male", "männlich"),
        ("stage_m1", 1.0, "M1", "M1"),
        ("comorb_copd", 0.0, "no", "nein"),
        ("func_ecog", 2.0, "2", "2"),
        ("entity_nsclc", 1.0, "", ""),
        ("lab_hemoglobin", None, "", ""),
    ],
)
def test_a_value_stands_with_its_unit(key: str, value: float | None, english: str, german: str) -> None:
    """Units and answers in the reader's language; one is singular."""
    feature = feature_of(key)
    assert (value_text(feature, value, ENGLISH), value_text(feature, value, GERMAN)) == (english, german)


@pytest.mark.parametrize(
    ("days", "english", "german"),
    [
        (-1, "today", "heute"),
        (0.4, "today", "heute"),
        (1, "1 day", "1 Tag"),
        (59, "59 days", "59 Tage"),
        (60, "2 months", "2 Monate"),
        (400, "13 months", "13 Monate"),
        (730, "2 years", "2 Jahre"),
    ],
)
def test_an_age_is_in_days_months_or_years(days: float, english: str, german: str) -> None:
    """One day is singular; what lies ahead by a time zone is today."""
    effective = written(AT - timedelta(days=days))
    assert (age_text(effective, AT, ENGLISH), age_text(effective, AT, GERMAN)) == (english, german)


@pytest.mark.parametrize(
    ("effective", "told"),
    [
        ("2026-06-30T11:58:00Z", "2 minutes"),
        ("2026-06-30T08:30:00Z", "3 hours"),
        ("2026-06-30T12:00:00Z", "today"),
        ("2026-06-30", "today"),
        ("2026-06-28T11:00:00Z", "2 days"),
    ],
)
def test_an_age_within_a_day_may_be_in_minutes_and_hours(effective: str, told: str) -> None:
    """Of an emergency; a date without a time, and what is of this moment, stay today."""
    assert age_text(effective, AT, by_hours=True) == told


def test_what_has_no_date_has_no_age() -> None:
    """Nothing is said rather than a guess."""
    assert age_text("", AT, GERMAN) == ""


def test_a_factor_near_one_has_two_digits() -> None:
    """So that 0.97 is not shown as 1.0."""
    shown = [(factor_text(value, ENGLISH), factor_text(value, GERMAN)) for value in (0.97, 1.44, 12.3)]
    assert shown == [("×0.97", "×0,97"), ("×1.4", "×1,4"), ("×12", "×12")]


def test_a_list_names_five_and_counts_the_rest() -> None:
    """Six are named: "and 1 others" is no shorter than a name; labels with commas are set apart by semicolons."""
    keys = ["lab_albumin", "lab_sodium", "lab_hemoglobin", "lab_creatinine", "lab_crp", "lab_ldh", "lab_calcium"]
    assert listed(keys[:2], 2, ENGLISH) == "Albumin, Sodium"
    assert listed(keys[:6], 6, ENGLISH).endswith(", C-reactive protein, Lactate dehydrogenase")
    assert listed(keys[:6], 7, GERMAN).endswith("C-reaktives Protein und 2 weitere")
    assert listed([keys[6], keys[0]], 2, GERMAN) == "Calcium, gesamt; Albumin"
