import json
from typing import Any

import msgspec
import pytest

from service.cds_hooks.lint.discovery import lint_discovery
from service.cds_hooks.lint.document import read_document
from service.cds_hooks.lint.finding import Finding
from service.cds_hooks.services import discovery
from service.cds_hooks.spec_version import SpecVersion, versioned
from service.quiet_settings import RestrictedRecords
from service.site_queries import site_queries

SERVICE: dict[str, Any] = {
    "hook": "patient-view",
    "title": "Greeter",
    "description": "Greets.",
    "id": "greeter",
    "prefetch": {"patient": "Patient/{{context.patientId}}"},
}


def linted(body: Any) -> list[Finding]:
    return lint_discovery(read_document(json.dumps(body).encode()))


def about(template: str, **service: Any) -> list[Finding]:
    """What is found in a template."""
    return linted({"services": [{**SERVICE, "prefetch": {"x": template}, **service}]})


@pytest.mark.parametrize("version", ["2.0", "3.0"])
@pytest.mark.parametrize("most", [None, 50])
def test_our_own_discovery_has_no_finding(version: SpecVersion, most: int | None) -> None:
    """In both versions, with what a site adds."""
    queries = site_queries(RestrictedRecords(flags=("urn:x|x",), consents=("urn:x|x",)))
    later = version == "3.0"
    body = versioned(discovery(queries, dated=later, most=most if later else None), version)
    assert lint_discovery(read_document(msgspec.json.encode(body))) == []


@pytest.mark.parametrize(
    "template",
    [
        "Patient/{{context.patientId}}",
        "Observation?patient={{context.patientId}}&code=4548-4,718-7&_sort=-date&_count=1",
        "PractitionerRole?_id={{userPractitionerRoleId}}",
        "Observation?subject={{context.patientId}}&code:in=https://x.example/vs&date=ge2020-01-01",
        "{{context.userId}}",
    ],
)
def test_a_template_that_every_client_can_follow_has_no_finding(template: str) -> None:
    """Reads, and searches by what the specification recommends."""
    assert about(template) == []


@pytest.mark.parametrize(
    ("template", "text", "requirement"),
    [
        ("Patient/{context.patientId}", "double braces", "55"),
        ("Patient/{{context.patientId}", "double braces", "55"),
        ("Patient/{{patientId}}", "did you mean context.patientId?", "56"),
        ("Patient/{{context/patientId}}", "is no token", "56"),
        ("Patient/{{context.patientID}}", "did you mean patientId?", "56"),
        ("Practitioner/{{userPractitionerID}}", "did you mean userPractitionerId?", "56"),
        ("Observation?date=ge{{today()}}", "CDS Hooks 3.0", "56"),
        ("Observation?date=ge{{today() - 90 days}}", "CDS Hooks 3.0", "56"),
        ("Patient/{{context.patient.id}}", "only root fields", "57"),
        ("https://fhir.example/Patient/{{context.patientId}}", "relative to the client's FHIR server", "36"),
        ("/Patient/{{context.patientId}}", "relative to the client's FHIR server", "36"),
        ("Patient?name={{context.patientId}} x", "white space", "36"),
    ],
)
def test_a_template_that_no_client_can_follow_is_an_error(template: str, text: str, requirement: str) -> None:
    """It names what is wrong with the token or the query."""
    (finding,) = [one for one in about(template) if one.is_error]
    assert (finding.path, finding.requirement) == ("services[0].prefetch.x", requirement)
    assert text in finding.text


def test_an_object_of_the_context_is_no_token() -> None:
    """Orders cannot stand in an address; a hook of one's own may have any field."""
    (finding,) = [one for one in about("Bundle/{{context.draftOrders}}", hook="order-sign") if one.is_error]
    assert finding.requirement == "57"
    assert about("Bundle/{{context.draftOrders}}", hook="org.example.own") == []


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Patient/17", "whoever the patient is"),
        ("MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication", "other types"),
        ("Patient?_id={{context.patientId}}&_revinclude=Observation:patient", "other types"),
        ("Observation?subject.name={{context.patientId}}", "chained"),
        ("Patient?_has:Observation:patient:code={{context.patientId}}", "chained"),
        ("Observation?code:text={{context.patientId}}", "`:in` alone"),
        ("Observation?patient={{context.patientId}}&_summary=true", "_summary is none"),
        ("Observation?patient={{context.patientId}}&_maxresults=5", "of CDS Hooks 3.0"),
        ("Patient/{{context.patientId}}/$everything", "neither reads one resource"),
        ("Observation?patient={{context.patientId}}&date=ge2020&date=lt2021", "more than once"),
        ("Observation?patient={{context.patientId}}&code=", "no name or no value"),
        ("Practitioner/{{context.userId}}", "a type before them stands twice"),
    ],
)
def test_a_template_that_some_clients_do_not_follow_has_a_note(template: str, text: str) -> None:
    """Allowed, and better avoided."""
    (finding,) = about(template)
    assert not finding.is_error
    assert text in finding.text


def test_later_tokens_are_for_services_that_say_so() -> None:
    """A service of CDS Hooks 3.0 may reckon with dates, and may use what an earlier key brought."""
    later = {"version": "3.0.0"}
    assert about("Observation?patient={{context.patientId}}&date=ge{{today() - 90 days}}", **later) == []
    prefetch = {"a": "Encounter/{{context.encounterId}}", "b": "Location/{{%a.location.location.resolve().id}}"}
    (note,) = linted({"services": [{**SERVICE, **later, "prefetch": prefetch}]})
    assert (note.path, note.is_error) == ("services[0].prefetch.b", False)
    wrong_order = dict(reversed(prefetch.items()))
    assert any(one.is_error for one in linted({"services": [{**SERVICE, **later, "prefetch": wrong_order}]}))


@pytest.mark.parametrize(
    ("member", "value", "text", "requirement"),
    [
        ("hook", None, "is empty, and needed", "7"),
        ("hook", "patient view", "is no name of a hook", "7"),
        ("id", 7, "must be text", "10"),
        ("id", "a/b", "cannot stand in an address", "10"),
        ("description", "", "is empty, and needed", "9"),
        ("usageRequirements", ["x"], "must be text", "12"),
        ("prefetch", ["Patient/1"], "must be an object", "36"),
        ("prefetch", {"x": {"query": "Patient/1"}}, "must be text", "36"),
        ("prefetch", {"x": None}, "is null", "3"),
        ("prefetch", {}, "is empty", "3"),
    ],
)
def test_a_wrong_description_is_an_error(member: str, value: Any, text: str, requirement: str) -> None:
    """One error, of the member."""
    (finding,) = linted({"services": [{**SERVICE, member: value}]})
    assert finding.is_error
    assert finding.path.startswith(f"services[0].{member}")
    assert (text in finding.text, finding.requirement) == (True, requirement)


def test_what_is_recommended_is_a_note() -> None:
    """A title, prefetch, a known hook, known members."""
    sparse = {"hook": "patient-veiw", "id": "x", "description": "d", "titel": "t"}
    found = linted({"services": [sparse]})
    assert [finding.is_error for finding in found] == [False] * 4
    assert [finding.path.partition(".")[2] for finding in found] == ["hook", "title", "prefetch", "titel"]
    assert "did you mean patient-view?" in found[0].text


def test_an_id_twice_is_allowed_for_two_hooks_only() -> None:
    """Some clients call only the last of them, so there is a note at least."""
    other = {**SERVICE, "hook": "encounter-start"}
    (note,) = linted({"services": [SERVICE, other]})
    (error,) = linted({"services": [SERVICE, SERVICE]})
    assert (note.is_error, error.is_error) == (False, True)


@pytest.mark.parametrize("body", [[], {}, {"services": None}, {"services": {"id": "x"}}, {"services": ["x"]}])
def test_what_is_no_list_of_services_is_an_error(body: Any) -> None:
    """An empty list is one."""
    (finding,) = linted(body)
    assert (finding.is_error, finding.requirement) == (True, "6")
    assert linted({"services": []}) == []
