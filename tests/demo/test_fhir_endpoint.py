"""The embedded FHIR endpoint, in process."""

import asyncio
import json
from datetime import date
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome

from demo.fhir_endpoint import create_endpoint
from demo.patients import demo_patients

BASE = "http://fhir.test/fhir"
LOINC = "http://loinc.org"
FHIR_JSON = "application/fhir+json;charset=utf-8"


def _observation(name: str, patient: str, **more: Any) -> dict[str, Any]:
    code = {"coding": [{"system": LOINC, "code": "718-7"}]}
    return {
        "resourceType": "Observation",
        "id": name,
        "code": code,
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


DATED = [
    _observation("year", "dates", effectiveDateTime="2024"),
    _observation("month", "dates", effectiveDateTime="2024-03"),
    _observation("day", "dates", effectiveDateTime="2024-03-10"),
    _observation("time", "dates", effectiveDateTime="2024-03-10T23:30:00-05:00"),  # the 11th in UTC
    _observation("open", "dates", effectivePeriod={"start": "2024-03-09"}),
    _observation("undated", "dates"),
]
MANY = [_observation(f"many-{number:03}", "many") for number in range(450)]
OTHERS: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "many"},
    {"resourceType": "Medication", "id": "drug"},
    *(
        {
            "resourceType": "MedicationStatement",
            "id": f"use-{year}-{drug}",
            "subject": {"reference": "Patient/many"},
            "medicationReference": {"reference": f"Medication/{drug}"},
            "effectivePeriod": {"start": year},
        }
        for year, drug in (("2023", "drug"), ("2024", "drug"), ("2022", "gone"))
    ),
    _observation("versioned", "versioned/_history/3"),
    _observation("elsewhere", "x", subject={"reference": "https://elsewhere.test/fhir/Patient/many"}),
]
APP = create_endpoint(
    [*DATED, *MANY, *OTHERS, *(r for resources in demo_patients(date(2026, 2, 28)).values() for r in resources)]
)


def send(method: str, address: str, **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(APP)) as client:
            return await client.request(method, address if address.startswith("http") else f"{BASE}/{address}", **more)

    return asyncio.run(once())


def get(address: str) -> httpx.Response:
    return send("GET", address)


def found(address: str) -> list[str]:
    """The ids on the first page of a search that must succeed."""
    answer = get(address)
    assert answer.status_code == 200, answer.text
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


def refused(answer: httpx.Response, status: int) -> str:
    """What an OperationOutcome with this status says."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == FHIR_JSON
    return str(OperationOutcome.model_validate_json(answer.content).issue[0].diagnostics)


def test_metadata() -> None:
    """The CapabilityStatement is valid FHIR, says R4, and lists what may be searched."""
    statement = get("metadata?_summary=true").json()
    assert CapabilityStatement.model_validate(statement).fhirVersion == "4.0.1"
    types = {r["type"]: {p["name"] for p in r["searchParam"]} for r in statement["rest"][0]["resource"]}
    assert {"patient", "code", "component-code", "date"} <= types["Observation"]
    assert "subject" not in types["MolecularSequence"]


def test_read() -> None:
    """A resource is read as it was loaded, under its own id."""
    answer = get("Patient/demo-lung")
    assert answer.headers["content-type"] == FHIR_JSON
    assert answer.json() == demo_patients(date(2026, 2, 28))["demo-lung"][0]


@pytest.mark.parametrize("address", ["Patient/nobody", "Nonsense/x", "Nonsense?x=1", "../elsewhere"])
def test_what_is_not_there_is_404(address: str) -> None:
    """An unknown resource, type or path is answered with 404 and an OperationOutcome."""
    assert refused(get(address), 404)


def test_search_by_patient() -> None:
    """A search finds one patient's resources, with their addresses and `match`, whichever way the id is written."""
    bundle = get("Condition?patient=demo-lung&_count=200").json()
    assert bundle["type"] == "searchset"
    assert {e["resource"]["subject"]["reference"] for e in bundle["entry"]} == {"Patient/demo-lung"}
    assert {e["search"]["mode"] for e in bundle["entry"]} == {"match"}
    assert all(e["fullUrl"] == f"{BASE}/Condition/{e['resource']['id']}" for e in bundle["entry"])
    assert found("Condition?subject=Patient/demo-lung") == [e["resource"]["id"] for e in bundle["entry"]]
    assert found("MolecularSequence?patient=demo-lung") == ["demo-lung-kras-sequence"]


def test_compartment() -> None:
    """A versioned reference counts, a reference to another server does not, an unknown patient has nothing."""
    assert found("Observation?patient=versioned") == ["versioned"]
    assert "elsewhere" not in found("Observation?patient=many&_count=200&_sort=_id")
    empty = get("Observation?patient=nobody").json()
    assert (empty["total"], "entry" in empty) == (0, False)


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        ("code=718-7", {"hemoglobin", "hemoglobin-earlier"}),
        (f"code={LOINC}|718-7", {"hemoglobin", "hemoglobin-earlier"}),
        ("code=http://snomed.info/sct|718-7", set()),
        ("code=|718-7", set()),
        ("code=777-3,1988-5", {"platelets", "crp"}),
        ("code=27113001", {"weight", "weight-earlier"}),
        ("code=718-7&code=777-3", set()),
        ("component-code=RID50365", {"body-composition-abdomen"}),
        ("combo-code=8480-6", {"blood-pressure"}),
        ("code=8480-6", set()),
        ("category=social-history", {"smoking", "pack-years"}),
        ("category=imaging&code=volume-filtered", {"body-composition-abdomen", "body-composition-chest"}),
        ("status=entered-in-error", {"potassium-withdrawn"}),
        ("_id=demo-lung-crp,demo-lung-ldh", {"crp", "ldh"}),
    ],
)
def test_tokens(criteria: str, names: set[str]) -> None:
    """Codes are found over all codings, with or without their system; commas mean or, repetition means and."""
    assert set(found(f"Observation?patient=demo-lung&{criteria}&_count=200")) == {f"demo-lung-{n}" for n in names}


def test_imaging_and_encounters() -> None:
    """Studies are found by modality, encounters by class."""
    assert found("ImagingStudy?patient=demo-lung&modality=CT&_sort=-started") == ["demo-lung-ct"]
    assert found("Encounter?patient=demo-lung&class=IMP") == ["demo-lung-biopsy"]


@pytest.mark.parametrize(
    ("criterion", "names"),
    [
        ("2024-03-10", "day"),
        ("eq2024-03", "month day time"),
        ("ge2024-03-11", "year month time open"),
        ("gt2024-03-10", "year month time open"),
        ("lt2024-03-10", "year month open"),
        ("le2024-03-10", "year month day open"),
        ("gt2024-12-31", "open"),
        ("ge2024-03-10T00:00:00Z&date=lt2024-03-11", "year month day open"),
        ("ne2024-03-10", "year month time open"),
        ("2024-03-10,2024-03-11", "day time"),
    ],
)
def test_dates(criterion: str, names: str) -> None:
    """A date is a span of time, compared after its prefix; two criteria must both hold, and not at one moment."""
    assert set(found(f"Observation?patient=dates&date={criterion}")) == set(names.split())


def test_order() -> None:
    """Results come in the order asked for, newest first with a minus; what has no date comes last."""
    ascending = found("Observation?patient=dates&_sort=date")
    assert ascending == ["year", "month", "open", "day", "time", "undated"]
    assert found("Observation?patient=dates&_sort=-date") == ["time", "day", "open", "month", "year", "undated"]
    assert found("Observation?patient=dates&_sort=-_id")[0] == "year"


def test_include() -> None:
    """What a page refers to comes with it where that is asked for: once, marked, and only if it is there."""
    search = "MedicationStatement?patient=many&_sort=-effective"
    matches = ["use-2024-drug", "use-2023-drug", "use-2022-gone"]
    assert found(search) == matches
    entries = get(f"{search}&_include=MedicationStatement:medication").json()["entry"]
    assert [entry["resource"]["id"] for entry in entries] == [*matches, "drug"]
    assert [entry["search"]["mode"] for entry in entries] == ["match"] * 3 + ["include"]
    assert entries[-1]["fullUrl"] == f"{BASE}/Medication/drug"


@pytest.mark.parametrize(
    "address",
    [
        "Observation?patient=many&made-up=1",
        "Observation?patient=",
        "Observation?patient=many,demo-lung",
        "Observation?patient=https://elsewhere.test/fhir/Patient/many",
        "Observation?patient=Group/many",
        "Observation?patient=many&patient=demo-lung",
        "MolecularSequence?subject=demo-lung",
        "Condition?patient=many&date=2024",
        "Observation?patient=many&code=",
        "Observation?patient=many&code:in=x",
        "Observation?patient=many&date=yesterday",
        "Observation?patient=many&date=2024-13-01",
        "Observation?patient=many&_sort=code",
        "MedicationRequest?patient=many&_sort=-effective",
        "MedicationRequest?patient=many&_include=MedicationRequest:made-up",
        "Observation?patient=many&_count=x",
        "Patient/many/Observation",
    ],
)
def test_what_hapi_refuses_is_refused(address: str) -> None:
    """An unknown parameter, order or value, and a patient that is not exactly one of this server, is 400."""
    assert refused(get(address), 400)


def test_pages() -> None:
    """A page is 20 or at most 200 entries; `next` leads over all of them once, and only the last page has none."""
    assert len(found("Observation?patient=many")) == 20
    page = get("Observation?patient=many&_count=500&_sort=_id").json()
    assert "_count=500" in page["link"][0]["url"]
    ids, sizes = [], []
    while True:
        assert "total" not in page
        ids += [entry["resource"]["id"] for entry in page["entry"]]
        sizes.append(len(page["entry"]))
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        if not following:
            break
        assert following[0].startswith(f"{BASE}?_getpages=")
        page = get(following[0]).json()
    assert sizes == [200, 200, 50]
    assert ids == sorted(r["id"] for r in MANY)


def test_total_only_where_it_is_known() -> None:
    """`total` is there where all is on one page, or where it is asked for."""
    assert get("Observation?patient=dates").json()["total"] == 6
    assert get("Observation?patient=many&_total=accurate").json()["total"] == 450


@pytest.mark.parametrize("query", ["_getpages=x&_getpagesoffset=20", "_getpages=T2Jz&_getpagesoffset=x", "", "a=b"])
def test_a_page_that_is_not_there_is_gone(query: str) -> None:
    """A made-up page is answered with 410, as HAPI answers an expired one."""
    assert "expired" in refused(get(f"{BASE}?{query}"), 410)


def test_search_by_post() -> None:
    """A search may be posted as a form; parameters of the address count too."""
    answer = send("POST", "Observation/_search?_count=200", data={"patient": "demo-lung", "code": "718-7,777-3"})
    assert {e["resource"]["id"] for e in answer.json()["entry"]} == set(
        found("Observation?patient=demo-lung&code=718-7,777-3")
    )


def test_batch() -> None:
    """Each GET of a batch is answered or refused for itself, pages included."""
    requests = ["Patient/demo-lung", "/Observation?patient=many&_count=2", "Patient/nobody", "Observation?made-up=1"]
    entries = [{"request": {"method": "GET", "url": url}} for url in requests]
    entries.append({"request": {"method": "PUT", "url": "Patient/x"}})
    answer = send("POST", BASE, content=json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}))
    replies = answer.json()["entry"]
    assert answer.json()["type"] == "batch-response"
    assert [reply["response"]["status"][:3] for reply in replies] == ["200", "200", "404", "400", "405"]
    assert replies[0]["resource"]["id"] == "demo-lung"
    assert get(replies[1]["resource"]["link"][1]["url"]).json()["entry"][0]["resource"]["id"] == "many-002"
    assert replies[2]["response"]["outcome"]["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"resourceType":"Bundle","type":"transaction","entry":[]}', b'{"entry":[{}]}']
)
def test_only_a_batch_is_taken(body: bytes) -> None:
    """Anything else that is posted to the root is 400."""
    assert refused(send("POST", BASE, content=body), 400)


@pytest.mark.parametrize(("method", "address"), [("PUT", "Patient/x"), ("DELETE", "Patient/x"), ("POST", "Patient")])
def test_read_only(method: str, address: str) -> None:
    """Nothing can be written."""
    assert refused(send(method, address, content=b"{}"), 405)


def test_the_later_of_two_counts() -> None:
    """Of two resources with the same type and id the later is served, once."""
    app = create_endpoint([_observation("same", "p", status="final"), _observation("same", "p", status="amended")])

    async def read() -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
            return dict((await client.get("Observation?patient=p")).json())

    bundle = asyncio.run(read())
    assert [entry["resource"]["status"] for entry in bundle["entry"]] == ["amended"]
