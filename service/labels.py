"""What parameters are called on cards and reports. Every label is the catalogue's, in the reader's language."""

from collections.abc import Iterable, Sequence

from fhir_mappings.concepts import catalogue
from service.language.sentences import ENGLISH, Language

_NAMED = 5  # parameters that a sentence names; the rest is counted


def label(key: str, language: Language = ENGLISH) -> str:
    """The catalogue's label of a parameter. Raises KeyError."""
    feature = catalogue().schema[key]
    return feature.label_de if language.code == "de" else feature.label_en


def short(text: str) -> str:
    """A label without what stands in brackets."""
    return text.partition(" (")[0]


def in_sentence(text: str, language: Language = ENGLISH) -> str:
    """A label inside a sentence: "Non-small cell lung cancer" -> "non-small cell lung cancer"; German as it is."""
    plain = short(text)
    return plain if language.code == "de" else plain[:1].lower() + plain[1:]


def beside_value(key: str, language: Language = ENGLISH) -> str:
    return language.beside_value.get(key) or short(label(key, language))


def listed(keys: Sequence[str], count: int, language: Language = ENGLISH) -> str:
    """The first of `count` parameters by name: "Albumin, Sodium and 3 others"; `keys` are their first ones at least."""
    named = keys if count <= _NAMED + 1 else keys[:_NAMED]  # "and 1 others" would take as much room as its name
    labels = [short(label(key, language)) for key in named]
    names = ("; " if any("," in text for text in labels) else ", ").join(labels)
    rest = count - len(named)
    return language.say("and-others", names=names, count=rest) if rest else names


def query_names(keys: Iterable[str], language: Language) -> str:
    """What these queries read, each name once."""
    return ", ".join(dict.fromkeys(language.queries.get(key, key) for key in keys))
