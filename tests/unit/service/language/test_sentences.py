"""Both languages say the same things."""

import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import service
from fhir_mappings.concepts import catalogue
from fhir_mappings.retrieval import SITE_CODES, queries
from fhir_mappings.setting import Reason
from models.position import Category
from service import abstention, notices, survival
from service.assessment import EMERGENCY, SUBSTITUTE
from service.emergency.key_inputs import KEY_INPUTS
from service.language.sentences import Language, LanguageCode, language
from service.site_queries import CONSENTS, FLAGS

QUOTED = re.compile(r"""["']([a-z-]+)["']""")
SERVICE = Path(service.__file__ or "").parent
LANGUAGES = [language(code) for code in get_args(LanguageCode)]


def texts(of: object, at: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a language with its place."""
    if isinstance(of, Mapping):
        for key, value in of.items():
            yield from texts(value, f"{at}/{key}")
    elif isinstance(of, list | tuple):
        for number, value in enumerate(of):
            yield from texts(value, f"{at}/{number}")
    else:
        yield at, str(of)


def arguments(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def shape(of: Language) -> dict[str, list[str]]:
    """Place -> the arguments of the text there. Units hold braces of their own."""
    built: dict[str, Any] = msgspec.to_builtins(of)
    del built["code"]
    return {place: arguments(text) if "unit" not in place else [] for place, text in texts(built)}


def test_both_languages_have_the_same_keys_and_arguments() -> None:
    """A sentence that is added to one is added to the other, with the same arguments."""
    english, german = (shape(one) for one in LANGUAGES)
    assert english == german


@pytest.mark.parametrize("said", LANGUAGES, ids=lambda one: one.code)
def test_every_code_has_its_words(said: Language) -> None:
    """Units, answers, queries, categories, reasons, notices: the closed lists of the code, no more and no less."""
    schema = catalogue().schema
    assert set(said.units) == {feature.unit for feature in schema.features}
    assert said.unit_of_one.keys() <= said.units.keys()
    assert said.queries.keys() == {SITE_CODES, *(query.key for query in (*queries(), FLAGS, CONSENTS))}
    assert said.categories.keys() == said.acute_outlooks.keys() == set(get_args(Category))
    assert said.key_inputs.keys() == KEY_INPUTS.keys()
    assert said.settings.keys() == {*get_args(Reason), SUBSTITUTE, EMERGENCY}
    assert said.notices.keys() == set(get_args(notices.Code))
    assert said.withheld.keys() == set(get_args(survival.Code))
    assert said.milestones.keys() == said.moments.keys()
    assert said.abstentions.keys() == {*get_args(abstention.Code), "no-age"}
    assert said.beside_value.keys() <= schema.index.keys()
    for key, names in said.levels.items():
        assert len(names) == schema[key].high + 1


def test_no_sentence_is_left_over() -> None:
    """Every sentence is named somewhere in the code, or formed from a name there."""
    named = {name for file in SERVICE.rglob("*.py") for name in QUOTED.findall(file.read_text("utf-8"))}
    formed = {f"{name}-one" for name in named} | {f"column-{name}" for name in named}
    assert LANGUAGES[0].sentences.keys() <= named | formed


def test_german_is_german() -> None:
    """No text of more than one word is the same in both languages, but the names of units and levels."""
    english, german = (dict(texts(msgspec.to_builtins(one))) for one in LANGUAGES)
    same = {place for place, text in english.items() if " " in text and german[place] == text}
    assert not {place for place in same if not place.startswith(("/units", "/numbers"))}


def test_one_and_many_are_told_apart() -> None:
    """One other input is no "1 inputs"."""
    english, german = LANGUAGES
    assert english.counted("others", 1) == "the one other input"
    assert english.counted("others", 2) == "the other 2 inputs together"
    assert german.counted("others", 1) == "die eine übrige Angabe"
