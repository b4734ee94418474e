"""Values, ages and factors as people read them. Everything here comes from the catalogue and from numbers."""

import math
from datetime import datetime

from fhir_mappings.concepts import catalogue
from fhir_mappings.timing import days_between, instant
from models.features import Feature
from service.language.sentences import ENGLISH, Language


def value_text(feature: Feature, value: float | None, language: Language = ENGLISH) -> str:
    """A value with its unit ("29 g/L"), or the name of its level ("M1", "yes")."""
    if value is None or feature.is_entity:
        return ""
    names = language.levels.get(feature.key)
    if names is not None and value == int(value) and 0 <= int(value) < len(names):
        return names[int(value)]
    if feature.kind == "binary":
        return language.say("yes" if value == 1 else "no")
    unit = _unit(feature.unit, value, language)
    return f"{number(value, language)}{language.numbers.before_unit}{unit}" if unit else number(value, language)


def number(value: float, language: Language = ENGLISH) -> str:
    """Three significant digits, no exponent; whole numbers, and those from 100 on, without decimals."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}".replace(",", language.numbers.thousands)
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{digits}f}".rstrip("0").rstrip(".").replace(".", language.numbers.decimal)


def age_text(effective: str, at: datetime, language: Language = ENGLISH, *, by_hours: bool = False) -> str:
    """How old a value is: "today", "3 days", "5 months", "2 years"; "" where it has no date.

    `by_hours`: "40 minutes" or "3 hours" of a day, where the time is known.
    """
    moment = instant(effective) if effective else None
    if moment is None:
        return ""
    days = max(0.0, days_between(moment, at))
    if days < 1:
        seconds = int(days * 86_400)
        is_timed = by_hours and "T" in effective and seconds >= 60
        return seconds_text(seconds, language) if is_timed else language.say("today")
    if days < 60:
        return language.counted("days", int(days))
    if days < 730:
        return language.say("months", count=round(days / 30.4375))  # two at least
    return language.say("years", count=round(days / 365.25))


def seconds_text(seconds: int, language: Language = ENGLISH) -> str:
    """How long ago something was read: "less than a minute", "12 minutes", "3 hours"."""
    minutes = seconds // 60
    if minutes < 1:
        return language.say("under-a-minute")
    return language.counted("hours", minutes // 60) if minutes >= 120 else language.counted("minutes", minutes)


def factor_text(factor: float, language: Language = ENGLISH) -> str:
    """The hazard against a typical patient ("×1.4"): two digits below 1 and close above it, none from 10 on."""
    digits = 2 if factor < 1.1 else 1 if factor < 10 else 0
    return f"×{factor:.{digits}f}".replace(".", language.numbers.decimal)


def feature_of(key: str) -> Feature:
    return catalogue().schema[key]


def _unit(ucum: str, value: float, language: Language) -> str:
    of_one = language.unit_of_one.get(ucum) if value == 1 else None
    return of_one or language.units.get(ucum, ucum)
