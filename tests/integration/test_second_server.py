"""The same patients on a FHIR server that is not HAPI: no quirk of one server is taken for the standard."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from demo.ehr import Ehr
from demo.patients import demo_patients
from demo.service_process import service
from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import queries
from service.app import destinations_of, reach_of
from service.check import examine
from service.check_line import Line
from service.fhir.client import open_http
from service.fhir.gather import PatientCall, whole
from service.fhir_settings import FhirServer
from service.settings import Settings
from tests.integration.second_server import SecondServer

Resource = dict[str, Any]


def settings(server: SecondServer) -> Settings:
    return Settings(auth="off", deadline_seconds=60, fhir=(FhirServer(url=server.base_url, timeout_seconds=30),))


def gathered(server: SecondServer, patient: str) -> PatientRecord:
    async def run() -> PatientRecord:
        async with open_http(destinations=destinations_of(settings(server))) as http:
            return await whole(PatientCall(patient, server.base_url), reach_of(settings(server), http), queries())

    return asyncio.run(run())


def sequence(patient: str) -> Resource:
    return {
        "resourceType": "MolecularSequence",
        "id": f"sequence-of-{patient}",
        "type": "dna",
        "coordinateSystem": 1,
        "patient": {"reference": f"Patient/{patient}"},
        "variant": [{"start": 55181378, "end": 55181379, "observedAllele": "T", "referenceAllele": "C"}],
    }


@pytest.fixture(scope="module")
def patients(other_server: SecondServer) -> Sequence[str]:
    """Two charts; the second alone has a sequence."""
    charts: Mapping[str, list[Resource]] = demo_patients()
    first, second = list(charts)[:2]
    other_server.load(*charts[first], *charts[second])
    return first, second


def test_a_chart_is_scored_as_from_its_prefetch(other_server: SecondServer, patients: Sequence[str]) -> None:
    """Searched, sent, and half of each: the same score and explanation."""
    with (
        service(other_server.base_url, clock="latest", deadline_seconds="60") as url,
        Ehr(url, other_server.base_url) as ehr,
    ):
        sent = ehr.prefetch(patients[0])
        half = {key: value for number, (key, value) in enumerate(sent.items()) if number % 2}
        found = [ehr.open_chart(patients[0], given).assessment for given in (None, sent, half)]
    assert [one["status"] for one in found] == ["scored"] * 3
    for name in ("riskScore", "attribution", "coverage"):
        assert found[0][name] == found[1][name] == found[2][name]


def test_pages_are_read_to_the_last(other_server: SecondServer, patients: Sequence[str]) -> None:
    """Offsets instead of HAPI's search ids: everything arrives, and once."""
    more = [
        {
            "resourceType": "Observation",
            "id": f"page-{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
            "subject": {"reference": f"Patient/{patients[1]}"},
            "effectiveDateTime": "2020-01-02",
            "valueQuantity": {"value": 13.2, "system": "http://unitsofmeasure.org", "code": "g/dL"},
        }
        for number in range(230)
    ]
    other_server.load(*more)
    found = gathered(other_server, patients[1])
    ids = [entry.resource.id for entry in found.entries if entry.resource.id.startswith("page-")]
    assert (len(ids), len(set(ids))) == (230, 230)
    assert {line.state for line in found.retrieval} <= {"complete", "empty"}


def until_it_is_known(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is read once the service has learnt, beside the calls, what the server offers."""
    for _ in range(100):
        found = read()
        if "the server does not offer MolecularSequence" in {line.get("reason") for line in found["retrieval"]}:
            return found
        time.sleep(0.1)
    raise AssertionError("the service did not learn what the server offers")


def test_sequences_of_others_that_the_server_sends_are_never_scored(
    other_server: SecondServer, patients: Sequence[str]
) -> None:
    """A type that the server does not offer is not asked for; where it comes all the same, the card abstains."""
    other_server.load(sequence(patients[1]))
    mixed = gathered(other_server, patients[0])  # before the server was asked what it offers
    assert f"sequence-of-{patients[1]}" in {entry.resource.id for entry in mixed.entries}

    with (
        service(other_server.base_url, clock="latest", deadline_seconds="60") as url,
        Ehr(url, other_server.base_url) as ehr,
    ):
        sent = ehr.open_chart(patients[0], ehr.prefetch(patients[0])).assessment
        searched = until_it_is_known(lambda: ehr.open_chart(patients[0]).assessment)
    assert sent["abstained"]["code"] == "foreign-patient"
    assert "riskScore" not in sent
    assert not sent.get("attribution")
    assert searched["status"] == "scored"
    assert patients[1] not in str(searched)

    async def lines() -> dict[str, Line]:
        return {line.item: line async for line in examine(settings(other_server))}

    line = asyncio.run(lines())["fhir 1 searches"]
    assert (line.state, "sequences" in line.told) == ("red", True)
