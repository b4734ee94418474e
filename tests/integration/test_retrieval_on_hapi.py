"""Every code that the catalogue knows is found on a real HAPI FHIR server, by the templates and by the searches.

One patient has one Observation per code, one per tissue of body composition, and one resource of every other type that
is read. Newer blood counts push the laboratory beyond one page: what is on the second is found by following `next`.
"""

import asyncio
import csv
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from demo.ehr import Ehr
from demo.service_process import service
from fhir_mappings.concepts import DATA, LOINC, SNOMED
from fhir_mappings.readers.body_composition import TISSUES
from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import queries
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.destinations import Destination
from service.fhir.gather import PatientCall, Reach, whole
from service.fhir.origin import Base
from service.fhir.paging import Bounds
from tests.integration.hapi_server import Hapi

Resource = dict[str, Any]

PATIENT = f"retrieval-{uuid4()}"
SUBJECT = {"reference": f"Patient/{PATIENT}"}
READ_BY_CODE = {"value", "level", "panel", "component", "percent_of_leukocytes", "multiple_of_limit"}
OF_THE_PATIENT = "http://hl7.org/fhir"  # rows that name an element of Patient
# Parts that stand in an Observation of their own; a kind of therapy and a component of a variant do not.
PARTS = {
    (LOINC, code)
    for code in (
        "9267-6", "9268-4", "9270-0", "2703-7", "19994-3", "3150-0", "71835-3", "49683-6",
        "101658-3", "101659-1", "101660-9", "59847-4",
    )
} | {(SNOMED, code) for code in ("250774007", "384994009", "384995005")}  # fmt: skip
NEWER = 100  # blood counts: with the older results of the laboratory more than a page of 200
TOGETHER = 150  # resources a transaction
BY_SEARCH_ONLY = {"Medication"}  # what drug records refer to: `_include` is not for templates


def coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def mapped_codes() -> list[tuple[str, str]]:
    """System and code of everything that an Observation may be about, straight from the concept map."""
    with (DATA / "concept_map.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["system"] != OF_THE_PATIENT]
    return sorted({(row["system"], row["code"]) for row in rows if row["meaning"] in READ_BY_CODE} | PARTS)


def tissues() -> list[str]:
    with (DATA / "concept_map.csv").open(encoding="utf-8", newline="") as file:
        return sorted({row["code"] for row in csv.DictReader(file) if row["system"] == TISSUES})


def observation(name: str, code: Resource, when: str = "2020-05-01", **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": f"{PATIENT[:20]}-{name}",
        "status": "final",
        "code": code,
        "subject": SUBJECT,
        "effectiveDateTime": when,
        **more,
    }


def observations() -> dict[str, Resource]:
    """By what a failing test should name: the code."""
    found = {f"{system}|{code}": coded(system, code) for system, code in mapped_codes()}
    named = {name: observation(f"code-{number}", code) for number, (name, code) in enumerate(found.items())}
    own_code = coded("https://uk-essen.de/fhir/ValueSet/boa/measurements", "volume-filtered")
    for tissue in tissues():
        part = {"code": coded(TISSUES, tissue), "valueQuantity": {"value": 900, "code": "mL"}}
        named[f"tissue {tissue}"] = observation(f"tissue-{tissue}", own_code, component=[part])
    for number in range(NEWER):
        day = f"2021-{number // 28 + 1:02}-{number % 28 + 1:02}"
        named[f"newer {number}"] = observation(f"newer-{number}", coded(LOINC, "718-7"), day)
    return named


def of_other_types() -> dict[str, Resource]:
    """One of each type, with the least that FHIR asks for; medication as a reference, as many servers have it."""
    drug = {"medicationReference": {"reference": f"Medication/{PATIENT}"}}
    several: dict[str, Resource] = {
        "Medication": {"code": coded("http://www.whocc.no/atc", "L01XA01")},
        "Condition": {"subject": SUBJECT, "code": coded("http://hl7.org/fhir/sid/icd-10", "C34.1")},
        "Encounter": {"subject": SUBJECT, "status": "finished", "class": {"code": "AMB"}},
        "ImagingStudy": {"subject": SUBJECT, "status": "available"},
        "MolecularSequence": {"patient": SUBJECT, "coordinateSystem": 0},
        "Procedure": {"subject": SUBJECT, "status": "completed", "performedDateTime": "2020-05-01"},
        "List": {"subject": SUBJECT, "status": "current", "mode": "snapshot", "date": "2020-05-01"},
        "MedicationStatement": {"subject": SUBJECT, "status": "active", "effectiveDateTime": "2020-05-01", **drug},
        "MedicationAdministration": {
            "subject": SUBJECT, "status": "completed", "effectiveDateTime": "2020-05-01", **drug
        },
        "MedicationRequest": {
            "subject": SUBJECT, "status": "active", "intent": "order", "authoredOn": "2020-05-01", **drug
        },
    }  # fmt: skip
    return {kind: {"resourceType": kind, "id": PATIENT, **members} for kind, members in several.items()}


def address(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


@pytest.fixture(scope="module")
def stored(hapi: Hapi) -> dict[str, str]:
    """What HAPI holds of the patient: the name of each resource, by code or type, and its address."""
    named = {"Patient": {"resourceType": "Patient", "id": PATIENT}, **of_other_types(), **observations()}
    resources = list(named.values())
    for first in range(0, len(resources), TOGETHER):
        entries = [
            {"resource": resource, "request": {"method": "PUT", "url": address(resource)}}
            for resource in resources[first : first + TOGETHER]
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = httpx.post(hapi.base_url, json=bundle, timeout=120, trust_env=False)
        assert answer.status_code == 200, answer.text[:1000]
    hapi.loaded["one per code"] = len(resources)
    return {name: address(resource) for name, resource in named.items()}


@pytest.fixture(scope="module")
def ehr(hapi: Hapi) -> Iterator[Ehr]:
    """An EHR in front of a running service."""
    with service(hapi.base_url) as url, Ehr(url, hapi.base_url) as client:
        yield client


@pytest.fixture(scope="module")
def published(ehr: Ehr) -> dict[str, str]:
    """The templates in the service's discovery."""
    return ehr.templates()


def everything(base: str, template: str) -> Iterator[str]:
    """The addresses that a filled template brings, to the last page. Each page must be answered."""
    following = f"{base}/{template.replace('{{context.patientId}}', PATIENT)}"
    while following:
        answer = httpx.get(following, headers={"Cache-Control": "no-cache"}, timeout=60, trust_env=False)
        assert answer.status_code == 200, f"{following}: {answer.text[:500]}"
        found = answer.json()
        if found["resourceType"] != "Bundle":
            yield address(found)
            return
        yield from (address(entry["resource"]) for entry in found.get("entry", ()))
        following = next((link["url"] for link in found["link"] if link["relation"] == "next"), "")


@pytest.fixture(scope="module")
def record(hapi: Hapi, stored: dict[str, str]) -> PatientRecord:
    """What the service reads of the patient where nothing was sent."""
    assert stored
    base = hapi.base_url

    async def run() -> PatientRecord:
        async with open_http(destinations=[Destination.of(base)]) as http:
            servers = FhirServers([FhirClient(Base.parse(base), http, 60.0, 50_000_000)])
            reach = Reach(servers, Bounds(pages=20, entries=5_000), concurrency=4, deadline=120.0)
            return await whole(PatientCall(PATIENT, base), reach, queries())

    return asyncio.run(run())


def test_the_published_templates_return_every_code(
    hapi: Hapi, stored: dict[str, str], published: dict[str, str]
) -> None:
    """Discovery's templates, filled in and followed page by page, bring all that they promise, and nobody else's."""
    found = {one for template in published.values() for one in everything(hapi.base_url, template)}
    promised = {name: at for name, at in stored.items() if name not in BY_SEARCH_ONLY}
    assert len(published) <= 15
    assert sorted(name for name, at in promised.items() if at not in found) == []
    assert found == set(promised.values())


def test_a_template_that_needs_pages_says_so(hapi: Hapi, stored: dict[str, str], published: dict[str, str]) -> None:
    """Beyond one page there is a `next` link: the first page alone is incomplete, and begins with the newest."""
    assert stored
    filled = published["laboratory"].replace("{{context.patientId}}", PATIENT)
    page = httpx.get(f"{hapi.base_url}/{filled}", timeout=60, trust_env=False).json()
    assert {link["relation"] for link in page["link"]} >= {"self", "next"}
    years = [entry["resource"]["effectiveDateTime"][:4] for entry in page["entry"]]
    assert years == ["2021"] * NEWER + ["2020"] * (len(years) - NEWER)


def test_the_searches_return_every_code(stored: dict[str, str], record: PatientRecord) -> None:
    """The service's own searches bring everything, the medication that is only referred to included."""
    # a type without a reader is named by an issue: it was brought
    found = {entry.resource.address for entry in record.entries} | {
        issue.source for issue in record.issues if issue.code == "type-not-read"
    }
    assert sorted(name for name, at in stored.items() if at not in found) == []
    assert found == set(stored.values())


def test_a_client_that_fills_every_template_gets_the_products_too(stored: dict[str, str], ehr: Ehr) -> None:
    """Prefetch brings drug records that refer to a product; the service reads those keys again, with the product."""
    assert stored
    sent = ehr.prefetch(PATIENT)
    ledger = {line["key"]: line for line in ehr.open_chart(PATIENT, sent).assessment["retrieval"]}
    half_filled = {query.key for query in queries() if query.include}
    assert {key for key, line in ledger.items() if line["via"] == "search"} == half_filled
    for key in half_filled:
        assert (ledger[key]["state"], ledger[key]["count"]) == ("complete", 2)
        assert ledger[key]["reason"] == "read after 1 products named by reference only in prefetch"


def test_no_search_is_refused_or_cut(record: PatientRecord) -> None:
    """A strict server knows every parameter, sorting and `_include` that the searches use; the ledger is complete."""
    states = {line.key: (line.via, line.state) for line in record.retrieval}
    assert states.keys() == {query.key for query in queries()}
    assert {key for key, (via, _) in states.items() if via != "search"} == set()
    assert {key: state for key, (_, state) in states.items() if state not in {"complete", "empty"}} == {}
    of_observations = {query.key for query in queries() if query.type == "Observation"}
    assert {states[key] for key in of_observations} == {("search", "complete")}
