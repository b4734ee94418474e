"""The card's one line."""

from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.record import Retrieval
from fhir_mappings.retrieval import queries
from models.position import Category
from service.abstention import Code, because
from service.assessment import Assessment, Entity, PositionShown
from service.coverage import Counts, Coverage
from service.language.sentences import LanguageCode, language
from service.statement.summary import SUMMARY_LIMIT, fitting, summary

ENTITIES = catalogue().schema.entities
COVERAGE = Coverage(observed=212, trained=313, total=313, by_modality={"laboratory": Counts(1, 1, 1)})
CODES = get_args(LanguageCode)


def scored(entity: str, category: str, *unread: str) -> Assessment:
    return Assessment(
        entity=Entity(entity, ""),
        coverage=COVERAGE,
        position=PositionShown(78, 66, 87, entity, 1_000, 100, category),
        retrieval=tuple(Retrieval(key, "search", "failed") for key in unread),
    )


def every_assessment() -> Iterator[Assessment]:
    """Entities by categories, queries that were not read, reasons to abstain with the longest names there are."""
    keys = [query.key for query in queries()]
    for category in get_args(Category):
        yield from (scored(entity, category) for entity in ENTITIES)
        yield from (scored(ENTITIES[0], category, *keys[: number + 1]) for number in range(len(keys)))
        yield from (scored(ENTITIES[0], category, key) for key in keys)
    for code in get_args(Code):
        yield from (Assessment(abstained=because(code, [entity], 38)) for entity in ENTITIES)
    yield Assessment(abstained=because("several-primaries", ENTITIES))
    yield Assessment(abstained=because("too-little", ["demo_age_at_baseline"], 3))
    yield Assessment(abstained=because("too-little"))
    yield Assessment()


@pytest.mark.parametrize("code", CODES)
def test_every_summary_fits_and_is_whole(code: LanguageCode) -> None:
    """At most 139 characters, one line, and none of them had to be cut: each ends with its last sentence."""
    said = language(code)
    for assessment in every_assessment():
        text = summary(assessment, said)
        assert 40 < len(text) <= SUMMARY_LIMIT or assessment.abstained
        assert text.endswith(".")
        assert "\n" not in text
        assert "{" not in text


@pytest.mark.parametrize(("code", "research"), [("en", "Research use."), ("de", "Nur Forschung.")])
def test_every_result_is_marked_as_research(code: LanguageCode, research: str) -> None:
    """Whatever had to be shortened, this stays, and so do category and coverage."""
    said = language(code)
    for entity in ENTITIES:
        text = summary(scored(entity, "less favourable"), said)
        assert text.endswith(research)
        assert said.categories["less favourable"] in text
        assert "212" in text


def test_what_is_too_long_is_cut_at_a_word() -> None:
    """With an ellipsis, and within the limit; a word that fits to the last character stays."""
    words = "word " * 40
    assert fitting([words]) == "word " * 26 + "word…"
    assert len(fitting(["x" * 138 + " and more"])) == SUMMARY_LIMIT
    assert fitting(["too long " * 20, "short"]) == "short"


def test_patients_of_all_types_are_not_called_patients_of_one() -> None:
    """Where the group is the whole setting, the summary does not name the entity."""
    assessment = scored("entity_colon", "unclear")
    assert assessment.position is not None
    group = msgspec.structs.replace(assessment.position, group="diagnosis")
    assert "colon" not in summary(msgspec.structs.replace(assessment, position=group), language("en"))


def test_the_summary_names_the_entity_in_the_readers_language() -> None:
    """The catalogue's label, whatever the assessment calls it."""
    assessment = msgspec.structs.replace(scored("entity_colon", "unclear"), entity=Entity("entity_colon", "<b>"))
    assert summary(assessment, language("en")).startswith("Compared with similar colon cancer patients")
    assert "(Kolonkarzinom): Lage unklar." in summary(assessment, language("de"))
