"""Which language a reader gets: the client's, else the site's, else what the browser asks for, else English."""

from typing import get_args

from service.language.sentences import LanguageCode

_DEFAULT: LanguageCode = "en"
_LONGEST = 200  # characters of a header that are looked at


def chosen(client: LanguageCode | None, site: LanguageCode | None, accept_language: str) -> LanguageCode:
    """`accept_language` is the header as sent, "" where there is none."""
    return client or site or _accepted(accept_language) or _DEFAULT


def _accepted(header: str) -> LanguageCode | None:
    """The offered language that the header weighs most (RFC 9110, section 12.5.4); of equals the first.

    "de-AT" is German; "*" is any, and ours is English. What cannot be read does not count.
    """
    weights: dict[str, float] = {}
    for part in header[:_LONGEST].split(","):
        tag, _, parameter = part.partition(";")
        primary = tag.strip().lower().split("-")[0]
        weights.setdefault(_DEFAULT if primary == "*" else primary, _weight(parameter))
    offered: list[LanguageCode] = [code for code in get_args(LanguageCode) if weights.get(code, 0.0) > 0]
    ordered = list(weights)
    return max(offered, key=lambda code: (weights[code], -ordered.index(code)), default=None)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip().lower() == "q" and 0 <= weight <= 1 else 0.0
