"""Pregnancy, hospice and comfort care: what says so, and for how long."""

from typing import Any

import pytest

from fhir_mappings.concepts import ICD10_CM, ICD10_GM, ICD10_WHO, SNOMED
from fhir_mappings.readers.circumstances import DISPOSITION
from fhir_mappings.retrieval import queries
from tests.unit.fhir_mappings.resources_of import (
    CLINICAL,
    Resource,
    ago,
    coded,
    concept,
    condition,
    encoded,
    encounter,
    patient,
    refuted,
    resource,
)

PREGNANT, CARE = {"pregnancy"}, {"end-of-life-care"}
ENDED: dict[str, Any] = {"clinicalStatus": concept("resolved", CLINICAL)}


def held(*resources: Resource) -> frozenset[str]:
    return frozenset(encoded(patient(), *resources).circumstances)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (condition("Z33!", days=100), PREGNANT),
        (condition("Z33.1", ICD10_CM, days=100), PREGNANT),
        (condition("Z34.01", ICD10_CM, days=100), PREGNANT),
        (condition("O09.A1", ICD10_CM, days=100), PREGNANT),
        (condition("O9A.211", ICD10_CM, days=100), PREGNANT),
        (condition("O24.4", ICD10_WHO, days=100), PREGNANT),
        (condition("77386006", SNOMED, days=100), PREGNANT),
        (condition("O24.4", days=100, onsetDateTime=None, recordedDate=None), PREGNANT),
        (encounter("AMB", days=20, reasonCode=[concept("Z34", ICD10_GM)]), PREGNANT),
        (coded("82810-3", "77386006", SNOMED, days=20), PREGNANT),
        (coded("82810-3", "LA15173-0", days=20), PREGNANT),
        (condition("Z51.5", days=900), CARE),
        (condition("385763009", SNOMED), CARE),
        (encounter("IMP", days=20, type=[concept("385736008", SNOMED)]), CARE),
        (encounter("IMP", days=20, reasonCode=[concept("Z51.5", ICD10_CM)]), CARE),
        (encounter("IMP", days=20, hospitalization={"dischargeDisposition": concept("hosp", DISPOSITION)}), CARE),
        (resource("Procedure", status="in-progress", code=concept("133918004", SNOMED)), CARE),
    ],
)
def test_each_kind_of_statement_counts(resource: Resource, expected: set[str]) -> None:
    """Diagnoses, encounters, procedures and the pregnancy status, in every edition; what has no date counts."""
    assert held(resource) == expected


@pytest.mark.parametrize(
    "resource",
    [
        condition("O24.4", days=340),
        condition("O24.4", days=100, **ENDED),
        refuted("O24.4"),
        condition("O24.4", SNOMED, days=100),
        condition("Z35.0A", days=100),
        coded("82810-3", "77386006", SNOMED, days=340),
        coded("82810-3", "60001007", SNOMED, days=20),
        coded("82810-3", "77386006", SNOMED, days=20, status="entered-in-error"),
        condition("Z51.5", **ENDED),
        condition("Z51.1"),
        encounter("IMP", days=200, reasonCode=[concept("Z51.5", ICD10_CM)]),
        encounter("IMP", days=20, status="cancelled", reasonCode=[concept("Z51.5", ICD10_CM)]),
        encounter("IMP", days=20, hospitalization={"dischargeDisposition": concept("home", DISPOSITION)}),
        resource("Procedure", status="not-done", code=concept("133918004", SNOMED)),
        resource("Procedure", status="completed", code=concept("133918004", SNOMED), performedDateTime=ago(200)),
    ],
)
def test_what_is_over_or_something_else_does_not_count(resource: Resource) -> None:
    """Ended, refuted, old, not done, of another system, another answer."""
    assert not held(resource)


def test_the_newest_answer_on_pregnancy_decides() -> None:
    """Pregnant in spring and not in summer is not pregnant; two answers of one moment are taken as pregnant."""
    yes, no = coded("82810-3", "77386006", SNOMED, days=90), coded("82810-3", "60001007", SNOMED, days=10)
    assert not held(yes, no)
    assert held(coded("82810-3", "77386006", SNOMED, days=10), no) == PREGNANT


def test_a_resource_that_says_so_says_why_it_is_there() -> None:
    """It has an issue of its own and is not called unknown; the pregnancy status is asked for in a query."""
    assert any("82810-3" in query.search for query in queries())
    palliative = condition("Z51.5")
    issues = [i for i in encoded(patient(), palliative).issues if i.source == f"Condition/{palliative['id']}"]
    assert [issue.code for issue in issues] == ["withholds-survival"]
