"""From a record to the assessment object."""

import math
from contextlib import nullcontext
from typing import Any

import msgspec
import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from models.features import FeatureVector
from service.assessment import Assessment, assess
from tests.unit.service.made_up_patients import AT, chart, package, record


def assessed(patient_id: str, resources: list[dict[str, Any]] | None = None) -> Assessment:
    return assess(record(patient_id, resources), AT, package())


def without(patient_id: str, *types: str) -> list[dict[str, Any]]:
    return [resource for resource in chart(patient_id) if resource["resourceType"] not in types]


class TestScored:
    def test_relevances_sum_to_the_risk_score(self) -> None:
        """The relevances of all factors sum to the risk score to 1e-5."""
        assessment = assessed("demo-lung")
        assert assessment.status == "scored"
        assert assessment.risk_score is not None
        assert abs(sum(f.relevance for f in assessment.attribution) - assessment.risk_score) < 1e-5

    def test_reference_is_the_sum_of_the_typical_relevances(self) -> None:
        """`reference` is the sum of `typical` over the attribution."""
        assessment = assessed("demo-lung")
        assert assessment.reference == pytest.approx(sum(f.typical for f in assessment.attribution), abs=1e-6)

    def test_a_factor_is_what_the_reader_sees_of_a_relevance(self) -> None:
        """A factor is exp(slope * (relevance - typical))."""
        slope = package().network("diagnosis").slope
        for factor in assessed("demo-lung").attribution:
            assert factor.factor == pytest.approx(math.exp(slope * (factor.relevance - factor.typical)), abs=1e-3)

    def test_factors_come_by_their_distance_from_typical(self) -> None:
        """The strongest deviation from a typical patient comes first."""
        distance = [abs(f.relevance - f.typical) for f in assessed("demo-lung").attribution]
        assert distance == sorted(distance, reverse=True)

    def test_every_factor_names_its_resources(self) -> None:
        """Each factor names the resources that its value came from, the Patient for age and sex."""
        by_key = {factor.feature: factor for factor in assessed("demo-lung").attribution}
        assert all(factor.sources for factor in by_key.values())
        assert by_key["demo_age_at_baseline"].sources == ("Patient/demo-lung",)

    def test_the_entity_is_one_entry(self) -> None:
        """Of the 38 entity columns only the patient's own is an entry."""
        entities = [f.feature for f in assessed("demo-lung").attribution if f.feature.startswith("entity_")]
        assert entities == ["entity_nsclc"]

    def test_entities_count_once_in_the_coverage(self) -> None:
        """The 38 entities are one input: 313 in all, and 8 with weights in this package."""
        coverage = assessed("demo-lung").coverage
        assert coverage is not None
        assert (coverage.total, coverage.trained, coverage.observed) == (313, 8, 8)
        assert sum(part.total for part in coverage.by_modality.values()) == 313

    def test_a_newly_diagnosed_patient_is_compared_as_such(self) -> None:
        """Histology of the last 90 days and no progression is rule C, with the diagnosis as time zero."""
        setting = assessed("demo-colorectal").setting
        assert setting is not None
        assert (setting.rule, setting.key) == ("C", "diagnosis")
        assert setting.time_zero

    def test_no_survival_figure_is_given(self) -> None:
        """Unless a site wants one, survival is withheld, with the reason."""
        withheld = assessed("demo-lung").survival_withheld
        assert withheld is not None
        assert withheld.code == "switched-off"

    def test_what_has_no_weights_is_called_untrained(self) -> None:
        """Recorded parameters without weights are named as no part of this model version."""
        notices = {notice.code: notice.text for notice in assessed("demo-lung").notices}
        assert "not part of this model version" in notices["untrained"]

    @pytest.mark.parametrize(("state", "code"), [("complete", "not-recorded"), ("failed", "not-found")])
    def test_what_was_not_read_is_not_called_unrecorded(self, state: str, code: str) -> None:
        """Missing inputs are not recorded in a record that is whole; else they were not in what was read."""
        assessment = assess(record("demo-lung", without("demo-lung", "Observation"), state=state), AT, package())
        assert {"not-recorded", "not-found"} & {notice.code for notice in assessment.notices} == {code}

    def test_absent_members_are_left_out(self) -> None:
        """The JSON holds no null and no empty value, and only the members that apply."""
        built = msgspec.to_builtins(assessed("demo-lung"))
        assert "abstained" not in built
        assert not _empty(built)


class TestInteractions:
    def test_they_are_there_where_they_are_asked_for(self) -> None:
        """No member without; with, the pairs of the patient's own inputs, strongest first, none that is zero."""
        assert "interactions" not in msgspec.to_builtins(assessed("demo-lung"))
        assessment = assess(record("demo-lung"), AT, package(), with_interactions=True)
        pairs = assessment.interactions
        strength = [abs(pair.value) for pair in pairs]
        assert strength == sorted(strength, reverse=True)
        assert strength[-1] > 0
        assert len({pair.features for pair in pairs}) == len(pairs)
        known = {factor.feature for factor in assessment.attribution}
        assert {key for pair in pairs for key in pair.features} <= known
        assert "entity_nsclc" in {key for pair in pairs for key in pair.features}

    def test_two_inputs_say_together_what_neither_says_alone(self) -> None:
        """The first pair's value is the change of the score that taking out both does not owe to taking out each."""
        whole = assess(record("demo-lung"), AT, package(), with_interactions=True)
        pair = next(pair for pair in whole.interactions if "entity_nsclc" not in pair.features)
        network, vector = package().network("diagnosis"), encode(record("demo-lung"), catalogue().schema, AT).vector

        def risk(*without: str) -> float:
            values = vector.values.copy()
            values[[catalogue().schema.index[key] for key in without]] = math.nan
            return network.predict(FeatureVector(values, vector.schema)).risk

        one, other = pair.features
        assert pair.value == pytest.approx(risk() - risk(one) - risk(other) + risk(one, other), abs=2e-6)

    def test_who_is_not_scored_has_none(self) -> None:
        """Where the record does not support a score it does not support its parts."""
        assert not assess(record("demo-sparse"), AT, package(), with_interactions=True).interactions


class TestAbstained:
    @pytest.mark.parametrize(
        ("patient", "code"),
        [
            ("demo-sparse", "too-little"),
            ("demo-no-cancer", "no-solid-tumour"),
            ("demo-two-primaries", "several-primaries"),
        ],
    )
    def test_a_chart_that_supports_no_score_says_why(self, patient: str, code: str) -> None:
        """A sparse chart, no cancer, an entity without training patients: no score, one reason."""
        assessment = assessed(patient)
        assert assessment.status == "abstained"
        assert assessment.abstained is not None
        assert assessment.abstained.code in {code, "entity-not-scored"}
        assert assessment.risk_score is None
        assert not assessment.attribution

    def test_an_entity_with_too_few_training_patients_is_named(self) -> None:
        """A recognised tumour without weights behind it is not scored, by name."""
        resources = chart("demo-breast")
        for resource in resources:
            if resource["resourceType"] == "Condition" and "C50" in str(resource["code"]):
                resource["code"] = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "C73"}]}
                resource.pop("bodySite", None)
                resource.pop("extension", None)
        kept = [r for r in resources if "59847-4" not in str(r.get("code"))]
        abstained = assessed("demo-breast", kept).abstained
        assert abstained is not None
        assert abstained.code == "entity-not-scored"
        assert "Thyroid cancer" in abstained.text

    def test_another_patients_resource_stops_everything(self) -> None:
        """One Observation of somebody else: no score, no coverage, nothing of the record used."""
        foreign = {**chart("demo-colorectal")[-1], "id": "x"}
        foreign["subject"] = {"reference": "Patient/demo-colorectal"}
        assessment = assessed("demo-lung", [*chart("demo-lung"), foreign])
        assert assessment.abstained is not None
        assert assessment.abstained.code == "foreign-patient"
        assert assessment.coverage is None
        assert not assessment.attribution

    def test_a_deceased_patient_is_not_scored(self) -> None:
        """A recorded death before the moment of assessment ends it."""
        resources = chart("demo-lung")
        resources[0]["deceasedDateTime"] = "2026-06-01"
        abstained = assessed("demo-lung", resources).abstained
        assert abstained is not None
        assert abstained.code == "deceased"

    def test_a_death_that_is_recorded_for_later_has_not_happened(self) -> None:
        """Seen from a moment before it, a death does not count."""
        resources = chart("demo-lung")
        resources[0]["deceasedDateTime"] = "2026-07-20"
        assert assessed("demo-lung", resources).status == "scored"

    def test_a_record_that_was_merged_into_another_is_not_scored(self) -> None:
        """What is known now is in the other one."""
        resources = chart("demo-lung")
        resources[0]["link"] = [{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]
        abstained = assessed("demo-lung", resources).abstained
        assert abstained is not None
        assert abstained.code == "record-replaced"

    def test_a_minor_is_not_scored(self) -> None:
        """Under 18 years there is no score."""
        resources = chart("demo-lung")
        resources[0]["birthDate"] = "2010-01-01"
        abstained = assessed("demo-lung", resources).abstained
        assert abstained is not None
        assert abstained.code == "under-18"

    def test_without_an_age_too_little_is_known(self) -> None:
        """Age is one of the inputs without which there is no score."""
        resources = chart("demo-lung")
        resources[0].pop("birthDate")
        abstained = assessed("demo-lung", resources).abstained
        assert abstained is not None
        assert abstained.code == "too-little"
        assert "no age" in abstained.text

    def test_the_patient_resource_itself_is_needed(self) -> None:
        """A record without its Patient has no age and is not scored."""
        abstained = assessed("demo-lung", without("demo-lung", "Patient")).abstained
        assert abstained is not None


def test_stages_are_entered_in_order() -> None:
    """The work enters its stages one after the other, named as in the design."""
    entered: list[str] = []

    def stage(name: str) -> Any:
        entered.append(name)
        return nullcontext()

    assess(record("demo-lung"), AT, package(), stage=stage)
    assert entered == ["extraction", "encoding", "predict", "explain"]


def test_labels_are_those_of_the_catalogue() -> None:
    """A factor's label is the catalogue's, whatever the record calls it."""
    schema = catalogue().schema
    assert all(f.label == schema[f.feature].label_en for f in assessed("demo-lung").attribution)


def _empty(value: Any) -> bool:
    if isinstance(value, dict):
        return not value or any(_empty(member) for member in value.values())
    if isinstance(value, list | tuple):
        return not value or any(_empty(member) for member in value)
    return value is None or value == ""
