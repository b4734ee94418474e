"""Whose the data of an emergency call are: Bundle, patient id, server and encounter that do not belong together."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.app.emergency_calls import NOW, PATH, HeldServer, at_hand, call, shipped
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import BASE, JSON, PATIENT, Caller, bundle

ELSEWHERE = "https://elsewhere.example/r4"
PUBLIC = "https://records.example/public"
FOREIGN = "foreign-patient"


@pytest.fixture
def server() -> Iterator[HeldServer]:
    """The hospital's FHIR server."""
    server = HeldServer()
    yield server
    assert not server.unmatched


@pytest.fixture
def caller(calling: MakeCaller) -> Caller:
    return calling(package=shipped(), now=lambda: NOW)


def asked(caller: Caller, accept: str = "application/json", **members: object) -> httpx.Response:
    response = caller.request("POST", PATH, json=call(**members), headers={"accept": accept})
    assert response.status_code in {200, 400}, response.text
    return response


def code_of(response: httpx.Response) -> str:
    return str(response.json().get("abstained", {}).get("code", response.json().get("status")))


def from_server(base: str, *names: str) -> dict[str, Any]:
    """The Bundle of the example, in which the entries of these resources (all without any) say that they are there."""
    whole = bundle(*at_hand())
    for entry in whole["entry"]:
        resource = entry["resource"]
        if not names or resource["id"] in names:
            entry["fullUrl"] = f"{base}/{resource['resourceType']}/{resource['id']}"
        else:
            del entry["fullUrl"]
    return whole


@pytest.mark.parametrize("names", [(), (PATIENT,), ("albumin",), ("tumour",)])
def test_a_bundle_of_another_server_is_another_patients(
    caller: Caller, server: HeldServer, names: tuple[str, ...]
) -> None:
    """A relative reference names the patient of the entry's own server, which has the same id by chance."""
    assert code_of(asked(caller, patientId=PATIENT, bundle=from_server(ELSEWHERE, *names))) == FOREIGN
    assert code_of(asked(caller, patientId=PATIENT, fhirServer=BASE, bundle=from_server(ELSEWHERE, *names))) == FOREIGN
    assert server.requests == []


def test_a_bundle_of_the_server_is_the_patients(calling: MakeCaller, server: HeldServer) -> None:
    """Under its address and under its public name, in full addresses and in references."""
    server.holds_chart(at_hand())
    caller = calling(package=shipped(), now=lambda: NOW, fhir=[{"url": BASE, "public_url": PUBLIC}])
    for base in (BASE, PUBLIC):
        whole = from_server(base)
        for entry in whole["entry"]:
            if "subject" in entry["resource"]:
                entry["resource"]["subject"] = {"reference": f"{base}/Patient/{PATIENT}"}
        assert code_of(asked(caller, patientId=PATIENT, bundle=whole)) == "scored"
    assert code_of(asked(caller, patientId=PATIENT, bundle=from_server(ELSEWHERE))) == FOREIGN


def test_a_bundle_by_itself_is_of_one_server(caller: Caller) -> None:
    """Any server will do, but it must be one: that of the Patient, else that of the others."""
    assert code_of(asked(caller, bundle=from_server(ELSEWHERE))) == "scored"
    assert code_of(asked(caller, bundle=from_server(ELSEWHERE, "albumin", "pulse"))) == "scored"
    mixed = from_server(ELSEWHERE)
    mixed["entry"][-1]["fullUrl"] = mixed["entry"][-1]["fullUrl"].replace(ELSEWHERE, BASE)
    assert code_of(asked(caller, bundle=mixed)) == FOREIGN
    del mixed["entry"][0]["fullUrl"]
    assert code_of(asked(caller, bundle=mixed)) == FOREIGN


def test_the_same_id_on_two_servers_is_two_patients(caller: Caller) -> None:
    """A Bundle of both is a wrong call, as with two ids."""
    person = at_hand()[0]
    two = from_server(ELSEWHERE)
    two["entry"].append({"fullUrl": f"{BASE}/Patient/{PATIENT}", "resource": person})
    assert asked(caller, bundle=two).status_code == 400
    assert code_of(asked(caller, patientId=PATIENT, bundle=two)) == FOREIGN


def test_an_encounter_of_another_patient_is_not_named(caller: Caller, server: HeldServer) -> None:
    """The RiskAssessment of a patient does not point at the stay of somebody else."""
    server.holds_chart(at_hand())
    stay = {
        "resourceType": "Encounter",
        "id": "stay",
        "status": "in-progress",
        "subject": {"reference": "Patient/other"},
    }
    server.on("Encounter/stay", stay)
    response = asked(caller, JSON, patientId=PATIENT, encounterId="stay")
    assert "prediction" not in response.json()
    assert "Encounter/stay" not in response.text
