"""What a real HAPI FHIR server does, as far as our client, and the embedded endpoint, rely on it.

A new HAPI version that changes one of these facts fails here by name, and not somewhere inside the service.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from demo.fhir_endpoint import create_endpoint
from demo.patients import demo_bundle, demo_patients
from fhir_mappings.retrieval import queries
from tests.integration.hapi_server import Hapi, ServerMissing, build
from tests.integration.load_corpus import Load, put_resources
from tests.site import LAB, overlay, reading_by

pytestmark = pytest.mark.integration

CROWD = 230  # more than one page of the largest size


@pytest.fixture(scope="module")
def http(hapi: Hapi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hapi.base_url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def crowd(hapi: Hapi) -> str:
    """The id of a patient with many results."""
    patient = _new_id()
    _put(hapi, _patient(patient), *(_result(patient, number) for number in range(CROWD)))
    return patient


@pytest.fixture(scope="module")
def demonstration(hapi: Hapi, http: httpx.Client) -> Hapi:
    """HAPI with the demonstration patients, put there by their own transaction."""
    answer = http.post(hapi.base_url, json=demo_bundle())
    assert answer.status_code == 200, answer.text[:1000]
    assert {entry["response"]["status"][:3] for entry in answer.json()["entry"]} <= {"200", "201"}
    return hapi


def _new_id() -> str:
    return f"itself-{uuid4()}"


def _patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name}


def _result(patient: str, number: int = 0) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"{patient}-{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"2024-01-{number % 28 + 1:02}",
    }


def _put(hapi: Hapi, *resources: dict[str, Any]) -> None:
    assert put_resources(hapi, resources, "tests of HAPI itself").refused == {}


def _search(http: httpx.Client, address: str, **headers: str) -> dict[str, Any]:
    answer = http.get(address, headers=headers)
    assert answer.status_code == 200, answer.text[:1000]
    return dict(answer.json())


def _ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


def _link(bundle: dict[str, Any], relation: str) -> str:
    return next((str(link["url"]) for link in bundle["link"] if link["relation"] == relation), "")


def test_a_machine_without_java_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Java is missing the reason names it, before anything is built or started."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ServerMissing, match="no java on the path"):
        build()


def test_version(hapi: Hapi, http: httpx.Client) -> None:
    """It is HAPI 8 with FHIR R4, and a part of its CapabilityStatement can be asked for: the whole has 1.5 MB."""
    statement = _search(http, "/metadata?_elements=fhirVersion,software,rest")
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["software"] == {"name": "HAPI FHIR Server", "version": hapi.version}
    assert hapi.version.startswith("8.")
    assert len(http.get("/metadata?_summary=true").content) < 200_000


def test_default_page(http: httpx.Client, crowd: str) -> None:
    """A page holds 20 entries unless told otherwise, and says nothing of a total while there are more."""
    bundle = _search(http, f"/Observation?patient={crowd}")
    assert len(_ids(bundle)) == 20
    assert "total" not in bundle
    assert _search(http, f"/Observation?patient={crowd}&_total=accurate")["total"] == CROWD


def test_largest_page(http: httpx.Client, crowd: str) -> None:
    """More than 200 entries are never given, although `self` still says what was asked for."""
    bundle = _search(http, f"/Observation?patient={crowd}&_count=500")
    assert len(_ids(bundle)) == 200
    assert "_count=500" in _link(bundle, "self")


def test_next_leads_over_everything_once(hapi: Hapi, http: httpx.Client, crowd: str) -> None:
    """The next link is an opaque address on the root of the server; the pages hold every resource once."""
    bundle = _search(http, f"/Observation?patient={crowd}&_count=50&_sort=-date")
    found = _ids(bundle)
    while following := _link(bundle, "next"):
        assert following.startswith(f"{hapi.base_url}?_getpages=")
        bundle = _search(http, following)
        found += _ids(bundle)
    assert len(found) == CROWD
    assert set(found) == {f"{crowd}-{number}" for number in range(CROWD)}


def test_a_page_that_is_not_there_is_gone(http: httpx.Client) -> None:
    """The id of a search that expired, or never was, is answered with 410 and an OperationOutcome."""
    answer = http.get(f"?_getpages={uuid4()}&_getpagesoffset=20&_count=20&_bundletype=searchset")
    assert answer.status_code == 410
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_past_the_end_is_empty(http: httpx.Client, crowd: str) -> None:
    """An offset behind the last entry is a page without entries, not an error."""
    following = _link(_search(http, f"/Observation?patient={crowd}&_count=100"), "next")
    assert _ids(_search(http, following.replace("_getpagesoffset=100", "_getpagesoffset=9000"))) == []


@pytest.mark.parametrize("handling", ["strict", "lenient"])
def test_unknown_parameters_are_refused(http: httpx.Client, handling: str) -> None:
    """An unknown search parameter is 400 with an OperationOutcome, whatever `Prefer` says."""
    answer = http.get("/Observation?made-up=1", headers={"Prefer": f"handling={handling}"})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_repeated_search_is_stale_unless_told_not_to_be(hapi: Hapi, http: httpx.Client) -> None:
    """For 60 s a repeated search misses what is new; `Cache-Control: no-cache` does not."""
    patient = _new_id()
    _put(hapi, _patient(patient), _result(patient, 0))
    address = f"/Observation?patient={patient}"
    first = _search(http, address)
    _put(hapi, _result(patient, 1))
    again = _search(http, address)
    assert (again["id"], len(_ids(again))) == (first["id"], 1)
    assert len(_ids(_search(http, address, **{"Cache-Control": "no-cache"}))) == 2


def test_no_store_cuts_the_answer(http: httpx.Client, crowd: str) -> None:
    """`Cache-Control: no-store` gives one page without a next link: it must never be sent."""
    bundle = _search(http, f"/Observation?patient={crowd}", **{"Cache-Control": "no-store"})
    assert len(_ids(bundle)) == 20
    assert _link(bundle, "next") == ""


@pytest.mark.usefixtures("crowd")
def test_lastn_answers_with_other_patients(hapi: Hapi, http: httpx.Client) -> None:
    """Without full-text search `$lastn` ignores the patient: it must never be called."""
    alone = _new_id()
    _put(hapi, _patient(alone), _result(alone))
    bundle = _search(http, f"/Observation/$lastn?patient=Patient/{alone}&code=718-7&max=1&_count=200")
    subjects = {entry["resource"]["subject"]["reference"] for entry in bundle["entry"]}
    assert subjects - {f"Patient/{alone}"}


def test_a_careless_patient_gets_others_data(hapi: Hapi, http: httpx.Client) -> None:
    """An empty patient is everyone, two are both: the id is checked before it goes into an address."""
    first, second = _new_id(), _new_id()
    _put(hapi, _patient(first), _patient(second), _result(first), _result(second))
    assert set(_ids(_search(http, f"/Observation?patient={first},{second}"))) == {f"{first}-0", f"{second}-0"}
    assert _search(http, "/Observation?patient=&_total=accurate")["total"] > 2


def test_the_bare_id_is_not_mixed_up(hapi: Hapi, http: httpx.Client) -> None:
    """Another server's patient and `Patient/id` get each other's answers from the cache; the bare id does not."""
    patient = _new_id()
    _put(hapi, _patient(patient), _result(patient))
    assert _ids(_search(http, f"/Observation?patient=https://elsewhere.test/fhir/Patient/{patient}")) == []
    assert _ids(_search(http, f"/Observation?patient=Patient/{patient}")) == []
    assert _ids(_search(http, f"/Observation?patient={patient}")) == [f"{patient}-0"]


def test_a_reference_to_nobody_makes_a_placeholder(hapi: Hapi, http: httpx.Client) -> None:
    """The lenient server stores a result of an unknown patient and finds it by that patient."""
    patient = _new_id()
    _put(hapi, _result(patient))
    assert _ids(_search(http, f"/Observation?patient={patient}")) == [f"{patient}-0"]
    assert _search(http, f"/Patient/{patient}")["resourceType"] == "Patient"


def test_batch(hapi: Hapi, http: httpx.Client, crowd: str) -> None:
    """Each GET of a batch is answered or refused for itself, and keeps its own next link."""
    urls = [
        f"Patient/{crowd}",
        f"Observation?patient={crowd}&_count=2",
        f"Patient/{_new_id()}",
        "Observation?made-up=1",
    ]
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    answer = http.post(hapi.base_url, json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    replies = answer.json()["entry"]
    assert [reply["response"]["status"][:3] for reply in replies] == ["200", "200", "404", "400"]
    assert _link(replies[1]["resource"], "next")


def test_plain_when_asked_for(http: httpx.Client, crowd: str) -> None:
    """It packs where that is allowed and not where it is not: our client asks for plain, to bound what it reads."""
    address = f"/Observation?patient={crowd}"
    assert http.get(address, headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in http.get(address, headers={"Accept-Encoding": "identity"}).headers


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.key)
def test_our_own_queries_are_understood(demonstration: Hapi, http: httpx.Client, query: Any) -> None:
    """Every query of the catalogue is answered, and as the embedded endpoint answers it for the same patient."""
    for patient in demo_patients():
        address = query.url(patient)
        assert _all(http, address, demonstration.base_url) == _embedded(address)


@pytest.mark.parametrize("code", ["ALB1", "A,1", "A|1", "A$1", "A\\1", "A 1&b", "A+1", "Ä#1%"])
def test_a_code_of_a_site_is_found(hapi: Hapi, tmp_path: Path, code: str) -> None:
    """Escaped as FHIR and addresses want it, among the public codes, and no other code with it."""
    patient = _new_id()
    results = [_coded_result(patient, number, some) for number, some in enumerate([code, "A", "1", "other"])]
    _put(hapi, _patient(patient), *results)
    with reading_by(overlay(tmp_path, f'{LAB},"{code}",lab_albumin,,')):
        [query] = [query for query in queries() if query.key == "laboratory"]
    found = httpx.get(f"{hapi.base_url}/{query.url(patient)}", timeout=60).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [f"{patient}-0"]


def _coded_result(patient: str, number: int, code: str) -> dict[str, Any]:
    return {**_result(patient, number), "code": {"coding": [{"system": LAB, "code": code}]}}


@pytest.mark.parametrize(
    "criteria",
    [
        "code=http://loinc.org|718-7",
        "code=http://snomed.info/sct|718-7",
        "code=27113001",
        "code=718-7&code=777-3",
        "combo-code=8480-6",
        "category=social-history,imaging",
        "status=entered-in-error",
        "_id=demo-lung-crp,demo-breast-tsh",
        f"date=ge{demo_patients()['demo-lung'][0]['birthDate']}",
        "date=lt2000-01-01",
    ],
)
def test_the_embedded_endpoint_finds_what_hapi_finds(demonstration: Hapi, http: httpx.Client, criteria: str) -> None:
    """A search has the same results here and there, so that what works in the fast tests works at a hospital."""
    address = f"Observation?patient=demo-lung&{criteria}&_count=200"
    assert _all(http, address, demonstration.base_url) == _embedded(address)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("Observation?patient=demo-lung&made-up=1", 400),
        ("MolecularSequence?subject=demo-lung", 400),
        ("Condition?patient=demo-lung&date=2024", 400),
        ("Observation?patient=demo-lung&_sort=made-up", 400),
        ("MedicationRequest?patient=demo-lung&_sort=-effective", 400),
        ("MedicationRequest?patient=demo-lung&_include=MedicationStatement:medication", 200),
        ("MedicationRequest?patient=demo-lung&_include=MedicationRequest:made-up", 400),
        ("Observation?patient=demo-lung&_count=x", 400),
        ("Observation?patient=demo-lung&date=2024-13", 400),
        ("Patient/demo-lung/Observation", 400),
        ("Patient/demo-nobody", 404),
        ("Nonsense?x=1", 404),
        ("?_getpages=made-up&_getpagesoffset=20", 410),
    ],
)
def test_the_embedded_endpoint_refuses_what_hapi_refuses(
    demonstration: Hapi, http: httpx.Client, address: str, status: int
) -> None:
    """A wrong call has the same status here and there; an `_include` of another type is none, it brings nothing."""
    path = address if address.startswith("?") else f"/{address}"
    assert http.get(f"{demonstration.base_url}{path}").status_code == status
    assert asyncio.run(_ask_embedded(path)).status_code == status


@pytest.mark.corpus
def test_synthea_loads(synthea: Load) -> None:
    """Whole-life transactions of Synthea patients are stored as they are."""
    assert synthea.refused == {}
    assert synthea.patients()


@pytest.mark.corpus
def test_german_core_data_set_loads(mii: Load) -> None:
    """The German bundles and single resources are stored, but for an ImplementationGuide."""
    assert set(mii.refused) == {"ImplementationGuide/mii-kds-testdata"}
    assert "mii-exa-test-data-onko-patient-1" in mii.patients()


@pytest.mark.corpus
def test_r4_examples_load(r4_examples: Load) -> None:
    """Of 207 R4 examples 199 are stored, two of them as one; the others cannot be, or would call a foreign host."""
    assert r4_examples.stored == 198
    assert set(r4_examples.refused) == {
        "Bundle/bundle-example",  # two of the examples have this id
        "Bundle/hla-1",
        "Bundle/ussg-fht",
        "Bundle/xds",
        "Observation/clinical-gender",
        "subscription-example",
        "subscription-example-error",
    }


def _all(http: httpx.Client, address: str, base: str) -> set[str]:
    """The ids of all pages of a search, or of the one resource that is read."""
    bundle = _search(http, f"{base}/{address}", **{"Cache-Control": "no-cache"})
    if bundle["resourceType"] != "Bundle":
        return {bundle["id"]}
    found = set(_ids(bundle))
    while following := _link(bundle, "next"):
        bundle = _search(http, following)
        found |= set(_ids(bundle))
    return found


EMBEDDED = create_endpoint(resource for resources in demo_patients().values() for resource in resources)


async def _ask_embedded(path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(EMBEDDED)) as client:
        return await client.get(f"http://embedded.test/fhir{path}")


def _embedded(address: str) -> set[str]:
    answer = asyncio.run(_ask_embedded(f"/{address}"))
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    if bundle["resourceType"] != "Bundle":
        return {bundle["id"]}
    assert _link(bundle, "next") == ""  # no demonstration patient has more than a page of anything
    return set(_ids(bundle))
