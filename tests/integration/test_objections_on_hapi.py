"""A patient objects on a real HAPI FHIR server, as a Flag or as a Consent; the service reads it when a chart opens."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from demo.ehr import Ehr
from demo.service_process import service
from tests.integration.hapi_server import Hapi
from tests.integration.load_corpus import Load

pytestmark = pytest.mark.corpus

PATIENT = "mii-exa-test-data-onko-patient-1"
SITE = "https://hospital.example/objections"
MII = "urn:oid:2.16.840.1.113883.3.1937.777.24.5.3"
SCIENTIFIC_USE = "2.16.840.1.113883.3.1937.777.24.5.3.8"  # MDAT wissenschaftlich nutzen
WHO = {"reference": f"Patient/{PATIENT}"}
CODE = {"coding": [{"system": SITE, "code": "no-decision-support"}]}
FLAG = {"resourceType": "Flag", "id": "objects", "status": "active", "subject": WHO, "code": CODE}
RULE = {"code": [{"coding": [{"system": MII, "code": SCIENTIFIC_USE}]}]}


def consent(kind: str) -> dict[str, Any]:
    """The German broad consent: all is denied, and this item permitted, or denied in so many words."""
    return {
        "resourceType": "Consent",
        "id": "broad",
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "57016-8"}]}],
        "patient": WHO,
        "policy": [{"uri": "urn:oid:2.16.840.1.113883.3.1937.777.24.2.1791"}],
        "provision": {"type": "deny", "provision": [{**RULE, "type": kind}]},
    }


@pytest.fixture(scope="module")
def ehr(hapi: Hapi, mii: Load) -> Iterator[Ehr]:
    """At a site that says which flags and consents object, and keeps no answer."""
    assert mii.stored
    flags, consents = json.dumps([f"{SITE}|no-decision-support"]), json.dumps([f"{MII}|{SCIENTIFIC_USE}"])
    with (
        service(
            hapi.base_url,
            clock="latest",
            restricted__flags=flags,
            restricted__consents=consents,
            cache__kept_seconds="0",
        ) as url,
        Ehr(url, hapi.base_url) as client,
    ):
        yield client


@contextmanager
def stored(hapi: Hapi, resource: dict[str, Any]) -> Iterator[None]:
    address = f"{hapi.base_url}/{resource['resourceType']}/{resource['id']}"
    httpx.put(address, json=resource, trust_env=False).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(address, trust_env=False).raise_for_status()


def codes(ehr: Ehr) -> set[str]:
    """Why the chart is not scored, read by the service and sent by the EHR."""
    replies = (ehr.open_chart(PATIENT), ehr.open_chart(PATIENT, ehr.prefetch(PATIENT)))
    return {reply.assessment.get("abstained", {}).get("code", "scored") for reply in replies}


def test_without_an_objection_the_chart_is_scored(ehr: Ehr, hapi: Hapi) -> None:
    """Both answers are whole: the patient has no flag, and a consent that permits."""
    with stored(hapi, consent("permit")):
        assert codes(ehr) == {"scored"}
        ledger = {line["key"]: line for line in ehr.open_chart(PATIENT).assessment["retrieval"]}
    assert (ledger["flags"]["state"], ledger["consents"]["count"]) == ("empty", 1)


@pytest.mark.parametrize("objection", [FLAG, consent("deny")])
def test_an_objection_that_is_stored_is_the_answer(ehr: Ehr, hapi: Hapi, objection: dict[str, Any]) -> None:
    """The card says that the record is restricted; once the objection is taken back, it is as before."""
    with stored(hapi, objection):
        assert codes(ehr) == {"restricted"}
        card = ehr.open_chart(PATIENT).card
        assert card is not None
        assert card["summary"] == "Not scored: this record is restricted."
    with stored(hapi, {**FLAG, "status": "inactive"}):
        assert codes(ehr) == {"scored"}
