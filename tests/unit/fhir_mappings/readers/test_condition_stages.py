"""Condition.stage: the stage that a diagnosis carries itself."""

import pytest

from fhir_mappings.concepts import SNOMED
from tests.unit.fhir_mappings.resources_of import (
    UICC,
    Resource,
    coded,
    codes,
    concept,
    condition,
    finding,
    tumour,
    value,
)

STAGE_IIB, CT2, CN1, CM0, PM1 = "1222769001", "1228929004", "1229973008", "1229901006", "1229916009"
CLINICAL, PATHOLOGICAL = concept("260998006", SNOMED), concept("261023001", SNOMED)


def staged(*summaries: Resource, days: float = 60, **members: object) -> Resource:
    stages = [{"summary": summary} | members for summary in summaries]
    return tumour("C34.1", "8140/3", days=days, id="t", stage=stages)


@pytest.mark.parametrize(
    ("summary", "key", "expected"),
    [
        (concept(STAGE_IIB, SNOMED), "stage_uicc_stage", 2),
        (concept("258219007", SNOMED), "stage_uicc_stage", 2),
        (concept("IIIA", UICC), "stage_uicc_stage", 3),
        ({"text": "Stage IV"}, "stage_uicc_stage", 4),
        (concept(CT2, SNOMED), "stage_t_category", 2),
        (concept(CN1, SNOMED), "stage_n_category", 1),
        (concept(CM0, SNOMED), "stage_m1", 0),
        (concept(PM1, SNOMED), "stage_m1", 1),
    ],
)
def test_a_stage_of_the_scored_tumour_is_read(summary: Resource, key: str, expected: float) -> None:
    """The group or one category, coded in SNOMED or by UICC, or as its text."""
    found = finding(key, staged(summary))
    assert (found.value, found.sources[0]) == (expected, "Condition/t")


def test_several_stages_of_one_diagnosis_are_each_read() -> None:
    """T, N and M beside the group."""
    whole = staged(*(concept(code, SNOMED) for code in (STAGE_IIB, CT2, CN1, CM0)))
    assert [value(f"stage_{k}", whole) for k in ("uicc_stage", "t_category", "n_category", "m1")] == [2, 2, 1, 0]


def test_it_is_as_old_as_the_diagnosis_but_for_an_m1() -> None:
    """An M0 of long ago is none of today; an M1 may have come later and has no date."""
    assert value("stage_m1", staged(concept(CM0, SNOMED), days=200)) is None
    assert finding("stage_uicc_stage", staged(concept(STAGE_IIB, SNOMED))).effective is not None
    assert finding("stage_m1", staged(concept(PM1, SNOMED))).effective is None
    assert value("stage_months_since_m1", staged(concept(PM1, SNOMED))) is None


def test_an_observation_of_the_stage_stands_above_it() -> None:
    """Clinical staging in the diagnosis is the shorter form of that in an Observation."""
    fuller = coded("21908-9", "1222802001", SNOMED, days=60)
    assert value("stage_uicc_stage", staged(concept(STAGE_IIB, SNOMED), type=CLINICAL), fuller) == 3
    assert value("stage_uicc_stage", staged(concept(STAGE_IIB, SNOMED), type=PATHOLOGICAL), fuller) == 2


def test_only_the_scored_tumour_has_a_stage() -> None:
    """Not another disease, nor a tumour that was refuted."""
    assert value("stage_uicc_stage", condition("I50.0", stage=[{"summary": concept(STAGE_IIB, SNOMED)}])) is None
    both = tumour("C34.1"), tumour("C50.1", stage=[{"summary": concept(STAGE_IIB, SNOMED)}])
    assert value("stage_uicc_stage", *both) is None


@pytest.mark.parametrize(
    ("summary", "code"),
    [
        (concept("HP:0012825", "urn:hpo"), "answer-unknown"),
        (concept("1222604002", SNOMED), "stated-unknown"),
        ({"coding": [*concept(STAGE_IIB, SNOMED)["coding"], *concept("III", UICC)["coding"]]}, "coding-conflict"),
    ],
)
def test_what_states_no_stage_is_an_issue(summary: Resource, code: str) -> None:
    """Another scale, TX, two codings that contradict each other."""
    assert code in codes(staged(summary))
    assert value("stage_uicc_stage", staged(summary)) is None


def test_a_modified_stage_is_not_read() -> None:
    """Its modifier may say that it was ruled out."""
    modified = staged(concept(STAGE_IIB, SNOMED), modifierExtension=[{"url": "urn:x"}])
    assert value("stage_uicc_stage", modified) is None
    assert "modifier-unknown" in codes(modified)
