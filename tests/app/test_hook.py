from typing import Any, Never

import httpx
import pytest

from service.errors import TABLE, Category
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import (
    BASE,
    HOOK,
    PATIENT,
    Caller,
    FhirServer,
    Unlearned,
    assessment_of,
    bundle,
    full_prefetch,
    hook_call,
    issue_of,
    leave,
    ledger_of,
    observation,
    outcome,
    patient,
)
from tests.unit.service.made_up_patients import AT, chart, package

CANARY = "Mrs Canary"


def empties(value: object) -> bool:
    """Whether a null or an empty value stands anywhere."""
    if isinstance(value, dict):
        return not value or any(empties(inner) for inner in value.values())
    if isinstance(value, list):
        return not value or any(empties(inner) for inner in value)
    return value is None or value == ""


def test_prefetch_alone_is_answered_with_a_card(caller: Caller, server: FhirServer) -> None:
    """A complete prefetch is answered with one card, without a request to any server."""
    response = caller.hook(prefetch=full_prefetch())
    assert response.headers["content-type"] == "application/json"
    (card,) = response.json()["cards"]
    assert card["source"] == {"label": "oncohooks pan-cancer prognosis", "url": "http://service.example/model"}
    assert assessment_of(response)["patient"] == f"Patient/{PATIENT}"
    assert server.requests == []


@pytest.mark.parametrize("wanted", [True, False])
def test_interactions_are_in_the_extension_where_the_site_wants_them(calling: MakeCaller, *, wanted: bool) -> None:
    """By the setting `card.interactions`; the text of the card is the same."""
    person, *others = chart("demo-lung")
    prefetch = full_prefetch(patient=person, conditions=bundle(*others))
    context = {"userId": "Practitioner/1", "patientId": "demo-lung"}
    caller = calling(package=package(), now=lambda: AT, card={"interactions": wanted})
    response = caller.hook(prefetch=prefetch, context=context)
    assert assessment_of(response)["status"] == "scored"
    assert ("interactions" in assessment_of(response)) == wanted
    assert "Together two inputs" not in response.text


def test_an_answer_has_no_empty_value(caller: Caller) -> None:
    """Nothing in an answer is null or empty (CDS Hooks, Use of JSON)."""
    broken = {**observation(2), "valueQuantity": "13"}
    assert not empties(caller.hook(prefetch=full_prefetch(laboratory=bundle(observation(1), broken))).json())
    assert not empties(caller.get("/cds-services").json())


def test_the_site_or_the_browser_chooses_the_language(caller: Caller, calling: MakeCaller) -> None:
    """Accept-Language counts where neither client nor site has a language; the assessment stays as it is."""
    call, german = hook_call(prefetch=full_prefetch()), {"accept-language": "de-CH, en;q=0.5"}
    (card,) = caller.request("POST", HOOK, json=call, headers=german).json()["cards"]
    assert card["summary"].startswith("Nicht bewertet: keine gesicherte solide Tumordiagnose")
    assert card["extension"]["org.oncohooks.assessment"]["abstained"]["text"].startswith("no confirmed")
    (card,) = calling(language="en").request("POST", HOOK, json=call, headers=german).json()["cards"]
    assert card["summary"].startswith("Not scored: ")


def test_without_prefetch_the_server_is_read(caller: Caller, server: FhirServer) -> None:
    """Without prefetch the patient is read from the stated server."""
    server.holds()
    assert {via for via, _ in ledger_of(caller.hook(fhirServer=BASE)).values()} == {"search"}


def test_half_a_prefetch_is_completed(caller: Caller, server: FhirServer) -> None:
    """What the client left out is read, what it sent is not."""
    server.holds()
    ledger = ledger_of(caller.hook(fhirServer=BASE, prefetch={"patient": patient(), "laboratory": None}))
    assert ledger["patient"] == ("prefetch", "complete")
    assert ledger["laboratory"] == ("prefetch", "empty")
    assert ledger["conditions"] == ("search", "empty")
    assert len(server.requests) == len(ledger) - 2


def test_the_order_of_the_prefetch_does_not_matter(caller: Caller) -> None:
    """The same prefetch in reverse order, entries included, gives the same findings."""
    observations = [observation(number) for number in range(5)]
    forward = assessment_of(caller.hook(prefetch=full_prefetch(laboratory=bundle(*observations))))
    prefetch = full_prefetch(laboratory=bundle(*reversed(observations)))
    backward = assessment_of(caller.hook(prefetch=dict(reversed(prefetch.items()))))
    for changing in ("assessedAt", "retrieval"):
        del forward[changing], backward[changing]
    assert forward == backward


@pytest.mark.parametrize("reference", ["Patient/other", "https://elsewhere.example/r4/Patient/" + PATIENT])
def test_another_patients_resource_is_never_scored(caller: Caller, reference: str) -> None:
    """A resource of another patient, by relative or absolute reference, makes the card a warning without a score."""
    prefetch = full_prefetch(laboratory=bundle(observation(1, reference)))
    response = caller.hook(prefetch=prefetch, fhirServer=BASE)
    assert response.json()["cards"][0]["indicator"] == "warning"
    assert assessment_of(response)["abstained"]["code"] == "foreign-patient"


def test_an_absolute_reference_to_the_stated_server_is_the_patients(caller: Caller) -> None:
    """The stated server's own spelling of the patient is the patient."""
    prefetch = full_prefetch(laboratory=bundle(observation(1, f"{BASE}/Patient/{PATIENT}")))
    assessment = assessment_of(caller.hook(prefetch=prefetch, fhirServer=BASE))
    assert assessment["abstained"]["code"] != "foreign-patient"


@pytest.mark.parametrize(
    ("members", "category", "named"),
    [
        ({"hook": "order-sign"}, Category.WRONG_HOOK, "patient-view"),
        ({"context": {"userId": "Practitioner/1"}}, Category.MALFORMED, "context.patientId is missing"),
        ({"context": {"patientId": "a/b"}}, Category.MALFORMED, "patientId is not a FHIR id"),
        ({}, Category.UNOBTAINABLE, "not sent: patient, conditions"),
        ({"fhirServer": "https://elsewhere.example/r4"}, Category.SERVER_NOT_LISTED, "patient, conditions, tumour"),
        (
            {"fhirServer": BASE, "fhirAuthorization": leave("s3cret", patient="other")},
            Category.TOKEN_MISMATCH,
            "fhirAuthorization.patient",
        ),
    ],
)
def test_a_call_that_cannot_be_answered_is_told_why(
    caller: Caller, server: FhirServer, members: dict[str, Any], category: Category, named: str
) -> None:
    """A fault of the call is an OperationOutcome that names it, with its status; nothing is sent anywhere."""
    response = caller.hook(**members)
    issue = issue_of(response)
    assert (response.status_code, issue["category"]) == (TABLE[category].status, category)
    assert named in issue["diagnostics"]
    assert TABLE[category].action in issue["details"]["text"]
    assert server.requests == []


@pytest.mark.parametrize(
    ("key", "answer", "category"),
    [
        ("patient", 404, Category.UNKNOWN_PATIENT),
        ("patient", lambda _: httpx.Response(200, html=f"<html>{CANARY}</html>"), Category.FHIR_NOT_FHIR),
        ("conditions", 403, Category.FHIR_REFUSED),
        ("conditions", 503, Category.FHIR_REFUSED),
        ("conditions", bundle(following="?page=2"), Category.FHIR_PAGE_LOST),
    ],
)
def test_a_failing_fhir_server_is_told(
    caller: Caller, server: FhirServer, key: str, answer: Any, category: Category
) -> None:
    """An unknown patient, HTML, a refusal, a lost page: an OperationOutcome each, never an empty card list."""
    server.holds(**{key: answer})
    server.on("?page=2", 503)
    response = caller.hook(fhirServer=BASE)
    assert (response.status_code, issue_of(response)["category"]) == (TABLE[category].status, category)
    assert CANARY not in response.text
    assert PATIENT not in response.text


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (httpx.ConnectError("refused"), Category.FHIR_UNREACHABLE),
        (httpx.ReadTimeout("slow"), Category.FHIR_TIMEOUT),
    ],
)
def test_a_fhir_server_that_is_down_is_told(
    caller: Caller, server: FhirServer, error: Exception, category: Category
) -> None:
    """A server that cannot be reached, or does not answer in time, is an error of the gateway."""

    def down(_: httpx.Request) -> httpx.Response:
        raise error

    server.holds(patient=down)
    response = caller.hook(fhirServer=BASE)
    assert (response.status_code, issue_of(response)["category"]) == (TABLE[category].status, category)


@pytest.mark.parametrize(
    ("method", "path", "category"),
    [
        ("POST", "/cds-services/no-such-service", Category.UNKNOWN_SERVICE),
        ("GET", HOOK, Category.METHOD),
        ("GET", f"/nowhere/{PATIENT}", Category.NOT_FOUND),
        ("POST", "/cds-services", Category.METHOD),
    ],
)
def test_a_wrong_address_is_told(caller: Caller, method: str, path: str, category: Category) -> None:
    """Unknown services, addresses and methods are OperationOutcomes too, and do not repeat the address."""
    response = caller.request(method, path)
    assert (response.status_code, issue_of(response)["category"]) == (TABLE[category].status, category)
    assert PATIENT not in response.text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1]", b'{"name":"Mrs Canary"', b'{"hook":NaN}'])
def test_a_body_that_is_no_call_is_told_without_repeating_it(caller: Caller, body: bytes) -> None:
    """Malformed bodies are 400, and nothing of them is in the answer."""
    response = caller.request("POST", HOOK, content=body)
    assert (response.status_code, issue_of(response)["category"]) == (400, Category.MALFORMED)
    assert CANARY not in response.text


def test_the_limits_are_the_sites(calling: MakeCaller) -> None:
    """Body and entries are limited as the settings say, with 413."""
    caller = calling(limits={"body_bytes": 5_000, "entries": 3})
    response = caller.request("POST", HOOK, content=b"x" * 5_001)
    assert (response.status_code, issue_of(response)["category"]) == (413, Category.TOO_LARGE)
    many = bundle(*(observation(number) for number in range(4)))
    response = caller.hook(prefetch={"laboratory": many})
    assert (response.status_code, issue_of(response)["category"]) == (413, Category.TOO_MANY_ENTRIES)


def test_a_fault_of_ours_is_an_incident(calling: MakeCaller, caplog: pytest.LogCaptureFixture) -> None:
    """An unforeseen fault is 500 with an incident number that the log has too, and never an empty card list."""

    class Broken(Unlearned):
        def network(self, _: str) -> Never:
            raise RuntimeError(CANARY)

    response = calling(package=Broken()).hook(prefetch=full_prefetch())
    issue = issue_of(response)
    assert (response.status_code, issue["category"]) == (500, Category.INTERNAL)
    assert issue["diagnostics"] in caplog.text
    assert "RuntimeError (" in caplog.text
    assert CANARY not in caplog.text + response.text


def test_the_token_is_sent_to_the_stated_server_only_for_its_call(caller: Caller, server: FhirServer) -> None:
    """The hook's own token reads for its call, and not for the next."""
    server.holds()
    caller.hook(fhirServer=BASE, fhirAuthorization=leave("s3cret", patient=PATIENT))
    assert {request.headers.get("authorization") for request in server.requests} == {"Bearer s3cret"}
    server.requests.clear()
    caller.hook(fhirServer=BASE)
    assert {request.headers.get("authorization") for request in server.requests} == {None}


def test_an_outcome_in_prefetch_is_in_the_ledger(caller: Caller) -> None:
    """The client's own failure is told in the assessment."""
    ledger = ledger_of(caller.hook(prefetch=full_prefetch(genetics=outcome())))
    assert ledger["genetics"] == ("prefetch", "failed")


def test_the_card_links_to_the_public_address(calling: MakeCaller) -> None:
    """Behind a proxy the card names the address that callers use, and says how the service runs."""
    caller = calling(public_url="https://cds.example/x/", clock="2020-01-02", demonstration=True)
    (card,) = caller.hook(prefetch=full_prefetch()).json()["cards"]
    assert card["source"]["url"] == "https://cds.example/x/model"
    notices = {notice["code"] for notice in card["extension"]["org.oncohooks.assessment"]["notices"]}
    assert notices >= {"clock", "demonstration"}


def test_hook_members_that_are_not_ours_do_not_matter(caller: Caller) -> None:
    """Members beyond the specification are passed over, as are prefetch keys that nobody asked for."""
    call = hook_call(prefetch=full_prefetch(extra=[1, 2]), extension={"a": 1}, more=None)
    assert caller.request("POST", HOOK, json={**call, "x": 1}).status_code == 200
