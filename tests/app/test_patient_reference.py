"""The chart as clients name it."""

import pytest

from service.cds_hooks.patient_reference import patient_id_of
from tests.unit.service.far_end import BASE, PATIENT, Caller, assessment_of, bundle, full_prefetch, leave, observation

FORMS = (
    PATIENT,
    f"Patient/{PATIENT}",
    f"Patient/{PATIENT}/_history/2",
    f"{BASE}/Patient/{PATIENT}",
    f"{BASE}/Patient/{PATIENT}/_history/2",
    f"HTTPS://FHIR.example:443/r4/Patient/{PATIENT}",
)

USERS = ("Practitioner/1", f"{BASE}/PractitionerRole/1", "PractitionerRole/1", "Patient/x", "RelatedPerson/1", "")


@pytest.mark.parametrize("named", FORMS)
def test_a_reference_is_the_id_that_it_names(named: str) -> None:
    """Relative, absolute and versioned references to a Patient of the stated server are that patient."""
    assert patient_id_of(named, BASE) == PATIENT
    assert patient_id_of(named, f"{BASE}/") == PATIENT


@pytest.mark.parametrize(
    ("named", "server"),
    [
        (f"https://elsewhere.example/r4/Patient/{PATIENT}", BASE),
        (f"{BASE}.attacker.example/Patient/{PATIENT}", BASE),
        (f"{BASE}/Patient/{PATIENT}", ""),
        (f"/Patient/{PATIENT}", BASE),
        (f"Practitioner/{PATIENT}", BASE),
        (f"{BASE}/Group/{PATIENT}", BASE),
        (f"Patient/{PATIENT}/x", BASE),
        (f"Patient/{PATIENT}\n", BASE),
        ("Patient/", BASE),
        ("", BASE),
    ],
)
def test_anything_else_stays_what_it_is(named: str, server: str) -> None:
    """A Patient of another server, other types and other texts are not made into an id."""
    assert patient_id_of(named, server) == named


def test_calls_by_reference_are_the_same_call(caller: Caller) -> None:
    """The chart, and the patient of the token, by id or by reference: the same patient, data and card."""
    uuids = set()
    prefetch = full_prefetch(laboratory=bundle(observation(1)))
    for named, user in zip(FORMS, USERS, strict=True):
        context = {"patientId": named, "userId": user}
        given = leave(patient=named)
        response = caller.hook(context=context, prefetch=prefetch, fhirServer=BASE, fhirAuthorization=given)
        assert assessment_of(response)["patient"] == f"Patient/{PATIENT}"
        uuids.add(response.json()["cards"][0]["uuid"])
    assert len(uuids) == 1


def test_a_patient_of_another_server_is_refused(caller: Caller) -> None:
    """Whose chart it is would be a guess: 400 for the context, 403 for the token."""
    other = f"https://elsewhere.example/r4/Patient/{PATIENT}"
    assert caller.hook(context={"patientId": other}, fhirServer=BASE, prefetch=full_prefetch()).status_code == 400
    given = leave(patient=other)
    assert caller.hook(fhirAuthorization=given, fhirServer=BASE, prefetch=full_prefetch()).status_code == 403
