"""encounter-discharge and order-sign: the same picture, and where none is shown."""

from typing import Any

import msgspec
import pytest

from fhir_mappings.decoding import decode
from fhir_mappings.record import PatientRecord, entries_of
from service.cds_hooks.order_sign import with_foreign_orders
from service.fhir.capability import STATEMENT
from tests.unit.service.far_end import (
    BASE,
    DISCHARGE,
    HOOK,
    ORDER,
    PATIENT,
    Caller,
    FhirServer,
    assessment_of,
    bundle,
    full_prefetch,
    leave,
    meters,
    observation,
    patient,
)

ATC = "http://www.whocc.no/atc"
CISPLATIN, PARACETAMOL = "L01XA01", "N02BE01"
IDENTIFIER = {"system": "urn:hospital", "value": "17"}


def order(drug: str, subject: object = None, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": f"d-{drug}",
        "status": "draft",
        "intent": "order",
        "subject": subject or {"reference": f"Patient/{PATIENT}"},
        "medicationCodeableConcept": {"coding": [{"system": ATC, "code": drug}]},
        **members,
    }


def context(**members: object) -> dict[str, object]:
    return {"userId": "PractitionerRole/7", "patientId": PATIENT, **members}


def signing(*drafts: dict[str, Any], **members: Any) -> dict[str, Any]:
    """An order-sign call with these draft orders and a complete prefetch."""
    return {
        "hook": "order-sign",
        "context": context(draftOrders=bundle(*drafts)),
        "prefetch": full_prefetch(),
        **members,
    }


def test_every_hook_shows_the_same_picture(caller: Caller) -> None:
    """Discharge, with or without its encounter, and the order of a cancer drug are answered as the opened chart is."""
    laboratory = bundle(*(observation(number) for number in range(3)))
    prefetch = full_prefetch(laboratory=laboratory)
    calls: list[tuple[str, dict[str, Any]]] = [
        (HOOK, {}),
        (DISCHARGE, {"hook": "encounter-discharge", "context": context(encounterId="e1")}),
        (DISCHARGE, {"hook": "encounter-discharge", "context": {"patientId": PATIENT}}),
        (ORDER, signing(order(CISPLATIN))),
    ]
    answers = [caller.hook(path, **{**call, "prefetch": prefetch}) for path, call in calls]
    seen = [(answer.json()["cards"][0]["summary"], answer.json()["cards"][0]["detail"]) for answer in answers]
    assert len(set(seen)) == 1
    assert len({str(assessment_of(answer)["coverage"]) for answer in answers}) == 1


def test_a_hook_at_the_address_of_another_is_refused(caller: Caller) -> None:
    """Each address answers the hook that discovery names."""
    for path, hook in ((HOOK, "order-sign"), (DISCHARGE, "patient-view"), (ORDER, "encounter-discharge")):
        assert caller.hook(path, hook=hook).status_code == 400


def test_each_service_takes_feedback(caller: Caller) -> None:
    """Feedback comes back to the address that made the card."""
    given = {"card": "x", "outcome": "overridden", "outcomeTimestamp": "2026-06-30T10:00:00Z"}
    for path in (HOOK, DISCHARGE, ORDER):
        assert caller.request("POST", f"{path}/feedback", json={"feedback": [given]}).status_code == 200


def test_orders_without_a_cancer_therapy_get_no_card(caller: Caller, server: FhirServer) -> None:
    """The answer is empty, nothing is read for it, and its reason is counted."""
    response = caller.hook(ORDER, **signing(order(PARACETAMOL), fhirServer=BASE, prefetch=None))
    assert (response.status_code, response.json()) == (200, {"cards": []})
    assert server.requests == []
    assert meters(caller, "oncohooks_outcomes_total") == {
        ("no-systemic-therapy", "silent", "pan-cancer-prognosis-order"): 1
    }
    assert meters(caller, "oncohooks_silenced_total") == {("no-systemic-therapy", "pan-cancer-prognosis-order"): 1}


@pytest.mark.parametrize(
    "drafts",
    [
        None,
        7,
        {},
        {"resourceType": 7, "entry": []},
        {"resourceType": "Bundle", "entry": 7},
        order(PARACETAMOL),
        bundle(order(PARACETAMOL), order("X", medicationCodeableConcept={"text": "unknown"})),
        bundle(order(PARACETAMOL, status=7)),
    ],
)
def test_what_cannot_be_told_is_not_silence(caller: Caller, drafts: object) -> None:
    """Draft orders that are missing, broken, or name an unknown drug are answered with the card."""
    call = {"hook": "order-sign", "context": context(draftOrders=drafts), "prefetch": full_prefetch()}
    assert len(caller.hook(ORDER, **call).json()["cards"]) == 1


def test_silence_hides_no_fault_of_the_call(caller: Caller) -> None:
    """A token of another patient, and what is no patient's id, are told whatever is ordered."""
    call = signing(order(PARACETAMOL), fhirServer=BASE)
    assert caller.hook(ORDER, **call, fhirAuthorization=leave(patient="other")).status_code == 403
    call["context"]["patientId"] = "a/b"
    assert caller.hook(ORDER, **call).status_code == 400


def test_draft_orders_count_as_entries_and_only_for_their_hook(caller: Caller) -> None:
    """They are limited as prefetch is; other hooks pass over them as over any unknown member."""
    many = {"resourceType": "Bundle", "entry": [{} for _ in range(10_001)]}
    assert caller.hook(ORDER, hook="order-sign", context=context(draftOrders=many)).status_code == 413
    stranger = bundle(order(CISPLATIN, {"reference": "Patient/other"}))
    answer = caller.hook(context=context(draftOrders=stranger, selections=["x"]), prefetch=full_prefetch())
    assert assessment_of(answer)["abstained"]["code"] != "foreign-patient"


def test_draft_orders_are_no_part_of_the_picture(caller: Caller) -> None:
    """What is not signed yet changes neither coverage nor issues."""
    without, drafted = (
        assessment_of(caller.hook(path, **call))
        for path, call in (
            (HOOK, {"prefetch": full_prefetch()}),
            (ORDER, signing(order(CISPLATIN, status="active"), order("N02AA01", status="active"))),
        )
    )
    assert drafted["coverage"] == without["coverage"]
    assert drafted.get("issues") == without.get("issues")


def test_orders_of_another_patient_are_told(caller: Caller) -> None:
    """A draft order of another patient makes the card a warning, whatever it orders and however it names whom."""
    for drug in (CISPLATIN, PARACETAMOL):
        for subject in ({"reference": "Patient/other"}, {"identifier": {**IDENTIFIER, "value": "18"}}):
            response = caller.hook(ORDER, **signing(order(drug, subject)))
            assert response.json()["cards"][0]["indicator"] == "warning"
            assert assessment_of(response)["abstained"]["code"] == "foreign-patient"
    assert meters(caller, "oncohooks_wrong_patient_total") == {("any", "pan-cancer-prognosis-order"): 4}


def test_orders_of_any_kind_may_be_a_strangers(caller: Caller) -> None:
    """Of orders that are no drugs only that is looked at; the patient's own give no card."""
    for subject, cards in (("Patient/other", 1), (f"Patient/{PATIENT}", 0)):
        request = {"resourceType": "ServiceRequest", "id": "s", "subject": {"reference": subject}}
        answered = caller.hook(ORDER, **signing(request)).json()["cards"]
        assert [card["indicator"] for card in answered] == ["warning"] * cards


def test_prefetch_of_another_patient_is_told_where_no_card_were_due(caller: Caller) -> None:
    """Silence about an order hides no delivery of another patient's data."""
    prefetch = full_prefetch(laboratory=bundle(observation(1, "Patient/other")))
    response = caller.hook(ORDER, **signing(order(PARACETAMOL), prefetch=prefetch))
    assert response.json()["cards"][0]["indicator"] == "warning"


def test_the_patients_own_identifier_is_no_stranger(caller: Caller) -> None:
    """An order that names the patient by identifier is the patient's, once the Patient is there."""
    prefetch = full_prefetch(patient={**patient(), "identifier": [IDENTIFIER]})
    response = caller.hook(ORDER, **signing(order(CISPLATIN, {"identifier": IDENTIFIER}), prefetch=prefetch))
    assert assessment_of(response)["abstained"]["code"] != "foreign-patient"


def test_only_orders_of_a_stranger_are_added_to_the_record() -> None:
    """The record stays as it is where the orders are the patient's, by identifier too."""
    chart = decode(msgspec.json.encode({**patient(), "identifier": [IDENTIFIER]}))
    record = PatientRecord(PATIENT, entries_of(chart.entries, scoped=True))
    for subject, is_added in (({"identifier": IDENTIFIER}, False), ({"reference": "Patient/other"}, True)):
        orders = decode(msgspec.json.encode(bundle(order(CISPLATIN, subject))))
        assert (len(with_foreign_orders(record, orders).entries) == 2) is is_added
    assert with_foreign_orders(record, None) is record


def test_orders_of_r5_are_read_as_such(caller: Caller, server: FhirServer) -> None:
    """Draft orders alone make a server be asked for its version, as prefetch does."""
    server.on(STATEMENT, {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"})
    drug = order(PARACETAMOL)
    drug["medication"] = {"concept": drug.pop("medicationCodeableConcept")}
    assert caller.hook(ORDER, **signing(drug, fhirServer=BASE)).json() == {"cards": []}
