"""The card: what a clinician reads."""

from typing import Any

import msgspec
import pytest

from demo.card_text import card_text
from demo.charts.traps import MARKUP, TRAPS
from service import statement
from service.assessment import Assessment, CodeAndText, assess
from service.cds_hooks.cards import EXTENSION, SHOWN, card_for, escaped
from service.cds_hooks.wire import Card
from tests.unit.service.made_up_patients import AT, chart, package, record

PATIENTS = ("demo-lung", "demo-colorectal", "demo-breast", "demo-sparse", "demo-no-cancer", "demo-two-primaries")
MODEL_URL = "https://oncohooks.example/model"


def card_of(patient_id: str, **more: Any) -> Card:
    return card_for(assess(record(patient_id), AT, package(), **more), MODEL_URL)


def extension_of(card: Card) -> dict[str, Any]:
    assert card.extension is not None
    found: dict[str, Any] = card.extension[EXTENSION]
    return found


@pytest.mark.parametrize("patient", PATIENTS)
class TestEveryCard:
    def test_the_summary_fits(self, patient: str) -> None:
        """The summary has at most 139 characters, on one line."""
        summary = card_of(patient).summary
        assert 0 < len(summary) <= statement.SUMMARY_LIMIT
        assert "\n" not in summary

    def test_it_informs(self, patient: str) -> None:
        """It is an info card with a source that leads to the model."""
        card = card_of(patient)
        assert card.indicator == "info"
        assert card.source.url == MODEL_URL

    def test_research_use_is_said(self, patient: str) -> None:
        """It says that this is research use, not a medical device, and names the model by its digest."""
        card = card_of(patient)
        assert "not a medical device" in card.detail
        assert package().digest[:8] in card.detail

    def test_nothing_of_the_record_is_quoted(self, patient: str) -> None:
        """Names, texts and markup of the record reach neither the card nor its extension."""
        everything = msgspec.json.encode(card_of(patient)).decode()
        for trap in (MARKUP, *TRAPS, "Demo,", "<script"):
            assert trap not in everything


class TestScoredCard:
    def test_position_comes_before_factors(self) -> None:
        """The reader sees the position first, then what drives it, then what was not known."""
        detail = card_of("demo-lung").detail
        places = [
            detail.index(part) for part in ("**Position:**", "| Against", "**Not known:**", "**Read with care:**")
        ]
        assert places == sorted(places)

    def test_contrary_factors_have_equal_weight(self) -> None:
        """Of either direction at most five are shown, and the rest is one row."""
        assessment = assess(record("demo-lung"), AT, package())
        rows = statement.rows(assessment, AT)
        for direction in ("▲", "▼"):
            assert 0 < sum(row.direction.startswith(direction) for row in rows) <= 5
        assert rows[-1].label.startswith("the other")

    def test_a_value_is_shown_with_unit_and_age(self) -> None:
        """A row holds the patient's value, its unit and how old it is."""
        shown = card_text(msgspec.to_builtins(card_of("demo-lung")))
        assert "ng/mL" in shown
        assert "days" in shown

    def test_a_patient_outside_rule_c_is_marked(self) -> None:
        """Where the reference patients were at another point of their course, the card says so."""
        resources = chart("demo-lung")
        assessment = assess(record("demo-lung", resources), AT, package())
        older = msgspec.structs.replace(assessment.setting, rule="D", text="diagnosed long ago")  # type: ignore[type-var]
        marked = card_for(msgspec.structs.replace(assessment, setting=older), MODEL_URL)
        assert "another point of their course (diagnosed long ago)" in marked.detail

    def test_the_extension_shows_twenty_factors_and_the_rest(self) -> None:
        """The extension's factors still sum to the risk score."""
        assessment = assess(record("demo-lung"), AT, package())
        many = assessment.attribution * 4
        card = card_for(msgspec.structs.replace(assessment, attribution=many), MODEL_URL)
        shown = extension_of(card)["attribution"]
        assert len(shown) == SHOWN + 1
        assert shown[-1]["feature"] == "other"
        assert sum(f["relevance"] for f in shown) == pytest.approx(sum(f.relevance for f in many), abs=1e-4)

    def test_no_survival_figure_and_no_advice(self) -> None:
        """The card holds no survival figure and does not speak of treatment but to say that it does not."""
        card = card_of("demo-lung")
        assert "surviv" not in card.summary + card.detail
        assert "high risk" not in card.summary + card.detail


class TestMarked:
    def test_what_was_not_obtained_is_in_the_summary(self) -> None:
        """A result that lacks a query's answer is called preliminary, and names what is missing."""
        assessment = assess(record("demo-lung", state="failed"), AT, package())
        card = card_for(assessment, MODEL_URL)
        assert card.summary.startswith("Preliminary: laboratory data")
        assert "does not mean that it was not measured" in card.detail

    def test_running_conditions_stand_first(self) -> None:
        """A demonstration or a moved clock is the first thing that the detail says."""
        notices = (CodeAndText("demonstration", "Demonstration: x."), CodeAndText("clock", "Assessed as of 2020."))
        detail = card_of("demo-lung", notices=notices).detail
        assert detail.startswith("**Demonstration: x.**\n\n**Assessed as of 2020.**")
        assert detail.count("Demonstration: x.") == 1

    def test_another_patients_data_are_a_warning(self) -> None:
        """Data of another patient turn the card into a warning without any value."""
        foreign = {**chart("demo-colorectal")[-1], "id": "x", "subject": {"reference": "Patient/demo-colorectal"}}
        assessment = assess(record("demo-lung", [*chart("demo-lung"), foreign]), AT, package())
        card = card_for(assessment, MODEL_URL)
        assert card.indicator == "warning"
        assert "Nothing was used" in card.detail
        assert "attribution" not in extension_of(card)


def test_a_long_entity_shortens_the_sentence_not_the_word() -> None:
    """With the longest labels of the catalogue the summary ends at a word, with its last sentence."""
    assessment = assess(record("demo-lung"), AT, package())
    assert assessment.entity is not None
    label = "Head and neck squamous cell carcinoma"
    longest: Assessment = msgspec.structs.replace(
        assessment, entity=msgspec.structs.replace(assessment.entity, label=label)
    )
    assert statement.summary(longest).endswith("Research use.")


def test_markdown_is_escaped() -> None:
    """What could be Markdown or HTML is shown literally."""
    assert escaped("10*9/L | <b>") == r"10\*9/L \| \<b\>"
