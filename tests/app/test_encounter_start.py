"""encounter-start: the card of an emergency."""

from typing import Any

import pytest

from demo.patients import demo_patients
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import EMERGENCY, HOOK, Caller, assessment_of, bundle, full_prefetch
from tests.unit.service.golden_cards import shipped

LUNG = "demo-lung"
CONTEXT = {"userId": "Practitioner/1", "patientId": LUNG, "encounterId": "e1"}


def prefetched(patient_id: str = LUNG) -> dict[str, Any]:
    """The chart under one key, the others empty: what a resource is read as does not depend on the key."""
    patient, *others = demo_patients()[patient_id]
    return full_prefetch(patient=patient, laboratory=bundle(*others))


@pytest.fixture
def trained(calling: MakeCaller) -> Caller:
    return calling(package=shipped())


def test_it_is_an_acute_ranking(trained: Caller) -> None:
    """The encounter that starts makes it rule A and the network `acute`, where the opened chart is another setting."""
    start = trained.hook(EMERGENCY, hook="encounter-start", context=CONTEXT, prefetch=prefetched())
    setting = assessment_of(start)["setting"]
    assert (setting["key"], setting["rule"]) == ("acute", "A")
    assert setting["text"] == "acute in-patient ranking, research"
    opened = trained.hook(HOOK, context=CONTEXT, prefetch=prefetched())
    assert assessment_of(opened)["setting"]["key"] != "acute"


def test_the_card_is_a_first_look(trained: Caller) -> None:
    """Key inputs counted, not triage, what to ask next."""
    answer = trained.hook(EMERGENCY, hook="encounter-start", context=CONTEXT, prefetch=prefetched())
    (card,) = answer.json()["cards"]
    assert card["indicator"] == "info"
    assert card["summary"].startswith("First look, 7 of 14 key inputs: acute outlook ")
    assert "Most informative next" in card["detail"]
    assert assessment_of(answer)["nextMostInformative"]


def test_no_setting_of_the_site_brings_a_survival_figure(calling: MakeCaller) -> None:
    """Not even the demonstration in the summary."""
    caller = calling(package=shipped(), demonstration=True, card={"survival": "summary"})
    answer = caller.hook(EMERGENCY, hook="encounter-start", context=CONTEXT, prefetch=prefetched())
    assert "survival" not in assessment_of(answer)
    assert "alive" not in str(answer.json())
    assert "survival" in assessment_of(caller.hook(HOOK, context=CONTEXT, prefetch=prefetched()))


def test_only_the_patient_is_needed(trained: Caller) -> None:
    """A call is answered without userId and encounterId, which the hook demands of clients."""
    answer = trained.hook(EMERGENCY, hook="encounter-start", context={"patientId": LUNG}, prefetch=prefetched())
    assert assessment_of(answer)["status"] == "scored"
