"""The card: what a clinician reads."""

from typing import Any

import msgspec
import pytest

from demo.card_text import card_text
from demo.charts.traps import MARKUP, TRAPS
from fhir_mappings.record import Retrieval
from service.assessment import assess
from service.cds_hooks.cards import EXTENSION, SHOWN, card_for
from service.cds_hooks.wire import Card
from service.language.sentences import ENGLISH
from service.notices import Notice, notice
from service.statement.factors import factor_table
from service.statement.summary import SUMMARY_LIMIT
from tests.unit.service.made_up_patients import AT, chart, package, record

PATIENTS = ("demo-lung", "demo-colorectal", "demo-breast", "demo-sparse", "demo-no-cancer", "demo-two-primaries")
MODEL_URL = "https://oncohooks.example/model"


def card_of(patient_id: str, **more: Any) -> Card:
    return card_for(assess(record(patient_id), AT, package(), **more), MODEL_URL)


def extension_of(card: Card) -> dict[str, Any]:
    assert card.extension is not None
    found: dict[str, Any] = msgspec.to_builtins(card.extension[EXTENSION])
    return found


@pytest.mark.parametrize("patient", PATIENTS)
class TestEveryCard:
    def test_the_summary_fits(self, patient: str) -> None:
        """The summary has at most 139 characters, on one line."""
        summary = card_of(patient).summary
        assert 0 < len(summary) <= SUMMARY_LIMIT
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
        rows = factor_table(assessment, AT, ENGLISH).rows
        for direction in ("▲", "▼"):
            assert 0 < sum(row.direction.startswith(direction) for row in rows) <= 5
        assert [row.label for row in rows if not row.direction] == ["the one other input"]

    def test_a_value_is_shown_with_unit_and_age(self) -> None:
        """A row holds the patient's value, its unit and how old it is."""
        shown = card_text(msgspec.to_builtins(card_of("demo-lung")))
        assert "ng/mL" in shown
        assert "days" in shown

    def test_a_patient_outside_rule_c_is_marked(self) -> None:
        """Where the reference patients were at another point of their course, the card says so."""
        resources = chart("demo-lung")
        assessment = assess(record("demo-lung", resources), AT, package())
        older = msgspec.structs.replace(assessment.setting, rule="D", reason="diagnosed-earlier")  # type: ignore[type-var]
        moved = msgspec.structs.replace(assessment, setting=older)
        assert "the reference patients \\(diagnosed more than 90 days ago;" in card_for(moved, MODEL_URL).detail
        german = card_for(moved, MODEL_URL, language="de").detail
        assert "Punkt des Verlaufs als die Vergleichsfälle \\(Diagnose vor mehr als 90 Tagen;" in german

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

    def test_what_was_not_obtained_is_told_where_there_is_no_score(self) -> None:
        """Too little may be known because it could not be read."""
        card = card_for(assess(record("demo-sparse", state="failed"), AT, package()), MODEL_URL, language="de")
        assert card.summary.startswith("Nicht bewertet")
        assert "was nicht heißt, dass nicht gemessen wurde: Labordaten." in card.detail

    def test_running_conditions_stand_first(self) -> None:
        """A demonstration or a moved clock is the first thing that the detail says."""
        detail = card_of("demo-lung", notices=(notice("demonstration"), notice("clock", at=AT))).detail
        first, second = detail.split("\n\n")[:2]
        assert first.startswith("**Demonstration: not for real patients. ")
        assert second == "**Assessed as of 2026-06-30, whatever the day of the call.**"
        assert detail.count("Demonstration: ") == 1

    def test_another_patients_data_are_a_warning(self) -> None:
        """Data of another patient turn the card into a warning without any value."""
        foreign = {**chart("demo-colorectal")[-1], "id": "x", "subject": {"reference": "Patient/demo-colorectal"}}
        assessment = assess(record("demo-lung", [*chart("demo-lung"), foreign]), AT, package())
        card = card_for(assessment, MODEL_URL)
        assert card.indicator == "warning"
        assert "Nothing was used" in card.detail
        assert "attribution" not in extension_of(card)


class TestLanguage:
    def test_a_german_card_is_german(self) -> None:
        """Detail, summary and override reasons; the codes and the assessment itself do not change."""
        assessment = assess(record("demo-lung"), AT, package())
        english = card_for(assessment, MODEL_URL)
        german = card_for(assessment, MODEL_URL, language="de", rendering="html")
        assert german.detail.startswith('<div lang="de">')
        assert "Nur Forschung" in german.summary
        assert [r.code for r in german.overrideReasons] == [r.code for r in english.overrideReasons]
        assert german.overrideReasons[0].display == "Daten sind falsch oder veraltet"
        assert german.extension == english.extension

    def test_ids_from_outside_are_no_markup(self) -> None:
        """Whatever a model, a query or a notice that is not known here is called."""
        hostile = "</p><script>|`](javascript:x)\u202e"
        assessment = assess(record("demo-lung"), AT, package())
        assert assessment.model is not None
        named = msgspec.structs.replace(
            assessment,
            model=msgspec.structs.replace(assessment.model, name=hostile),
            notices=(Notice("of another version", hostile),),
            retrieval=(Retrieval(hostile, "search", "failed"),),
        )
        shown = card_for(named, MODEL_URL)
        assert "<script" not in shown.detail.replace("\\<", "")
        assert "](" not in shown.detail
        assert "\u202e" not in shown.detail + shown.summary
        assert "<script" not in card_for(named, MODEL_URL, rendering="html").detail
