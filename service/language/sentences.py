"""What is said in each language: one TOML file a language, all with the same keys and the same {arguments}."""

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

LanguageCode = Literal["en", "de"]
_HERE = Path(__file__).parent


class NumberFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`date` and `moment` (UTC) are strftime's; `before_unit` stands between a number and its unit."""

    decimal: str
    thousands: str
    before_unit: str
    date: str
    moment: str


class Abstention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why there is no score, in one line, and what could help."""

    reason: str
    detail: str


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The texts of one language. Keys are codes of ours, of the catalogue (parameters) or of UCUM (units)."""

    numbers: NumberFormat
    sentences: dict[str, str]
    categories: dict[str, str]
    acute_outlooks: dict[str, str]
    key_inputs: dict[str, str]
    scores: dict[str, str]
    score_parts: dict[str, str]
    score_bands: dict[str, str]
    moments: dict[str, str]
    settings: dict[str, str]
    notices: dict[str, str]
    withheld: dict[str, str]
    cohorts: dict[str, str]
    milestones: dict[str, str]
    abstentions: dict[str, Abstention]
    queries: dict[str, str]
    beside_value: dict[str, str]
    levels: dict[str, tuple[str, ...]]
    units: dict[str, str]
    unit_of_one: dict[str, str]
    override_reasons: dict[str, str]
    code: LanguageCode = "en"

    def say(self, key: str, **arguments: str | int) -> str:
        """The sentence with its arguments, which are texts of this language already. Raises KeyError."""
        return self.sentences[key].format(**arguments)

    def counted(self, key: str, count: int, shown: str = "") -> str:
        """The sentence `KEY-one` for one, else `KEY` with the number (as `shown`, where it is formatted)."""
        return self.say(f"{key}-one") if count == 1 else self.say(key, count=shown or count)


@cache
def language(code: LanguageCode) -> Language:
    """The texts of a language, read once."""
    read = msgspec.toml.decode((_HERE / f"{code}.toml").read_bytes(), type=Language)
    return msgspec.structs.replace(read, code=code)


ENGLISH = language("en")
