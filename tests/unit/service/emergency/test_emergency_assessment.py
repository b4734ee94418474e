"""An emergency's assessment and card."""

from typing import Any, get_args

import msgspec
import pytest

from models.position import Category
from service.assessment import Assessment, assess
from service.cds_hooks.cards import EXTENSION, card_for
from service.emergency.bedside_scores import BedsideScore, ScorePart
from service.emergency.change import Change, Range, Update
from service.gaps import Earlier
from service.language.sentences import LanguageCode, language
from service.notices import earlier_notice
from service.statement import html, markdown, plain
from service.statement.statement import statement_of
from service.statement.summary import SUMMARY_LIMIT, summary
from service.survival import Showing
from tests.unit.service.golden_cards import shipped
from tests.unit.service.made_up_patients import AT, arriving, chart, package, record

LANGUAGES = get_args(LanguageCode)
SHOWN = Showing("summary", demonstration=True)


def emergency(patient_id: str, resources: list[dict[str, Any]] | None = None, **more: Any) -> Assessment:
    """An emergency with vital signs of an hour ago, unless other resources are given."""
    given = arriving(patient_id) if resources is None else resources
    return assess(record(patient_id, given, **more), AT, shipped(), showing=SHOWN, emergency=True)


def said(assessment: Assessment, code: LanguageCode = "en") -> str:
    return " ".join(plain.rendered(statement_of(assessment, language(code))).split())


class TestAssessment:
    def test_it_is_always_ranked_as_an_acute_stay(self) -> None:
        """Rule A and the network `acute`, though nothing in the record says that the patient is in hospital."""
        setting = emergency("demo-lung").setting
        assert setting is not None
        assert (setting.key, setting.rule, setting.reason) == ("acute", "A", "emergency")
        assert setting.text == "acute in-patient ranking, research"
        assert setting.time_zero == "2026-06-30T12:00:00+00:00"
        usual = assess(record("demo-lung"), AT, shipped()).setting
        assert usual is not None
        assert usual.rule != "A"

    def test_survival_is_never_in_it(self) -> None:
        """Whatever the site shows elsewhere; the reason stands in the answer and the card is silent."""
        assert assess(record("demo-lung"), AT, shipped(), showing=SHOWN).survival
        answer = emergency("demo-lung")
        assert not answer.survival
        assert answer.survival_basis is None
        assert answer.interval_level is None
        assert answer.survival_withheld is not None
        assert answer.survival_withheld.code == "acute"
        assert "Survival" not in said(answer)

    def test_no_term_is_borrowed(self) -> None:
        """The acute network has its own laboratory terms only."""
        answer = emergency("demo-lung")
        assert {f.evidence.origin for f in answer.attribution if f.evidence} <= {"entity+setting", "setting"}
        assert any(f.feature.startswith("lab_") for f in answer.attribution)

    def test_a_package_without_the_network_says_so(self) -> None:
        """It ranks by another network as in rule D, and claims no acute outlook."""
        answer = assess(record("demo-lung"), AT, package(), emergency=True)
        assert answer.setting is not None
        assert (answer.setting.key, answer.setting.rule, answer.setting.reason) == ("diagnosis", "D", "substitute")
        assert not answer.survival
        assert "acute outlook" not in summary(answer, language("en"))
        assert "no network of its own" in said(answer)

    def test_others_are_as_they_were(self) -> None:
        """Whoever is no emergency has none of its members."""
        usual = msgspec.to_builtins(assess(record("demo-lung"), AT, shipped()))
        assert not usual.keys() & {"keyInputs", "nextMostInformative", "scores", "update", "changedBy"}

    @pytest.mark.parametrize("code", LANGUAGES)
    @pytest.mark.parametrize(
        ("patient_id", "changes", "reason"),
        [
            ("demo-no-cancer", {}, "no-solid-tumour"),
            ("demo-lung", {"birthDate": "2010-01-01"}, "under-18"),
            ("demo-lung", {"deceasedBoolean": True}, "deceased"),
        ],
    )
    def test_others_are_not_scored(
        self, patient_id: str, changes: dict[str, Any], reason: str, code: LanguageCode
    ) -> None:
        """No known solid tumour, under 18, deceased: one clear line, and nothing of an emergency's score."""
        resources = chart(patient_id)
        resources[0] = {**resources[0], **changes}
        answer = emergency(patient_id, resources)
        assert answer.abstained is not None
        assert answer.abstained.code == reason
        assert not msgspec.to_builtins(answer).keys() & {"keyInputs", "nextMostInformative", "scores", "setting"}
        begins = {"en": "Not scored: ", "de": "Nicht bewertet: "}[code]
        assert summary(answer, language(code)).startswith(begins)

    def test_too_little_asks_for_what_a_department_has_first(self) -> None:
        """Vital signs and extent, all with weights in the acute network."""
        abstained = emergency("demo-sparse").abstained
        assert abstained is not None
        assert abstained.features == ("stage_m1", "func_gcs", "vital_resp_rate")

    def test_of_a_restricted_record_nothing_is_said(self) -> None:
        """Neither key inputs nor scores."""
        answer = assess(record("demo-lung"), AT, shipped(), barred="restricted", emergency=True)
        assert answer.abstained is not None
        assert answer.key_inputs is None
        assert not answer.next_most_informative


def with_position(category: str, *, number: int = 1, unread: bool = False) -> Assessment:
    answer = emergency("demo-lung", state="failed" if unread else "complete")
    assert answer.position is not None
    position = msgspec.structs.replace(answer.position, category=category, percentile=80, low=71, high=90)
    update = Update(number, final=False, previous=Range(60, 40, 75) if number > 1 else None)
    return msgspec.structs.replace(answer, position=position, update=update)


class TestCard:
    @pytest.mark.parametrize("code", LANGUAGES)
    @pytest.mark.parametrize("category", get_args(Category))
    @pytest.mark.parametrize("number", [1, 2, 12])
    @pytest.mark.parametrize("unread", [False, True])
    def test_every_summary_fits(self, code: LanguageCode, category: str, number: int, *, unread: bool) -> None:
        """At most 139 characters, whole, with the count of key inputs; research, and preliminary where it is."""
        text = summary(with_position(category, number=number, unread=unread), language(code))
        assert len(text) <= SUMMARY_LIMIT
        assert text.endswith({"en": "Research use.", "de": "Nur Forschung."}[code])
        assert {"en": "11 of 14 key inputs", "de": "11 von 14 Kernangaben"}[code] in text
        assert {"en": "Preliminary", "de": "Vorläufig"}[code] in text or not unread
        assert {"en": "Not triage", "de": "Keine Triage"}[code] in text or number > 1

    @pytest.mark.parametrize(
        ("code", "begins"), [("en", "As of 2026-06-30 11:40 UTC, "), ("de", "Stand 30.06.2026 11:40 ")]
    )
    @pytest.mark.parametrize("category", get_args(Category))
    def test_a_first_look_at_older_answers_says_of_when(self, code: LanguageCode, begins: str, category: str) -> None:
        """Where all of it is there, but some was read earlier: not preliminary, and it fits."""
        older = earlier_notice("stale", Earlier((), "2026-06-30T11:40:00+00:00", 1_200))
        text = summary(msgspec.structs.replace(with_position(category), notices=(older,)), language(code))
        assert text.startswith(begins)
        assert text.endswith({"en": "Research use.", "de": "Nur Forschung."}[code])

    def test_the_first_look(self) -> None:
        """The reviewed words."""
        text = summary(with_position("about as usual"), language("en"))
        assert text.startswith(
            "First look, 11 of 14 key inputs: acute outlook about as usual for in-patients with cancer. Not triage."
        )

    def test_a_refined_answer_says_what_changed(self) -> None:
        """The number of the answer, what moved it most with its value now, and the range then and now."""
        answer = with_position("less favourable", number=2)
        changed = msgspec.structs.replace(answer, changed_by=(Change("lab_albumin", "Albumin", 1.42),))
        assert summary(changed, language("en")).startswith("Update 2, 11 of 14 key inputs: acute outlook now less")
        assert "Changed: Most by: Albumin 3.6 g/dL ×1.4. Range 71–90 of 100 (before: 40–75)." in said(changed)
        assert "Änderung: Am stärksten: Albumin" in said(changed, "de")

    @pytest.mark.parametrize("code", LANGUAGES)
    def test_it_is_no_reason_to_withhold_treatment(self, code: LanguageCode) -> None:
        """Not triage, reversible causes, research: on every scored emergency's card."""
        text = said(emergency("demo-lung"), code)
        for words in {
            "en": ("Not triage", "Reversible causes", "not a reason to withhold treatment", "acute in-patient ranking"),
            "de": ("Keine Triage", "Umkehrbare Ursachen", "kein Grund, Behandlung vorzuenthalten", "Akute Rangfolge"),
        }[code]:
            assert words.lower() in text.lower()

    def test_it_says_what_is_used_and_what_is_not(self) -> None:
        """Neutrophils are known and have no weights: they are not among what the estimate rests on."""
        text = said(emergency("demo-lung"))
        assert "Used: tumour and its extent, age, breathing rate" in text
        assert "Known, but without weight in this model: function before this illness, neutrophils." in text
        assert "Missing: consciousness, oxygen saturation with oxygen or air, lactate." in text

    @pytest.mark.parametrize("rendered", [markdown.rendered, plain.rendered, html.rendered])
    def test_scores_stand_beside_it(self, rendered: Any) -> None:
        """NEWS2 with the parts that give points, and one that lacks a part without a value, in every markup."""
        scores = (
            BedsideScore(
                "news2", 5, (ScorePart("respiratory_rate", 25.0, 3), ScorePart("pulse", 80.0, 0)), band="urgent"
            ),
            BedsideScore("qsofa", None, (), ("systolic",)),
        )
        answer = msgspec.structs.replace(emergency("demo-lung"), scores=scores)
        text = " ".join(rendered(statement_of(answer, language("en"))).replace("\\", "").split())
        assert "Beside it, from the latest values, never combined with it:" in text
        assert "NEWS2 5 (urgent): breathing rate 3. qSOFA not computed, missing: systolic pressure." in text

    def test_the_extension_carries_the_new_members(self) -> None:
        """Names as in the contract, whatever else the assessment holds."""
        scores = (BedsideScore("news2", 5, (ScorePart("respiratory_rate", 25.0, 3),)),)
        card = card_for(msgspec.structs.replace(emergency("demo-lung"), scores=scores), "")
        assert card.extension is not None
        written = msgspec.json.decode(msgspec.json.encode(card.extension[EXTENSION]))
        assert written["nextMostInformative"][0].keys() == {"feature", "label", "low", "high"}
        assert written["scores"] == [
            {"key": "news2", "value": 5, "parts": [{"key": "respiratory_rate", "value": 25.0, "points": 3}]}
        ]
        assert set(written["keyInputs"]["missing"]) == {"consciousness", "spo2_with_oxygen", "lactate"}
        assert "survival" not in written
