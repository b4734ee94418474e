"""Records that a site does not have assessed."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from fhir_mappings.decoding import decode
from fhir_mappings.record import Entry, PatientRecord, Retrieval
from service.assessment import assess
from service.cds_hooks.cards import card_for
from service.notices import notice
from service.quiet_settings import RestrictedRecords
from service.restricted import barred
from tests.unit.service.made_up_patients import AT, chart, package, record

V3 = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
STU3 = "http://hl7.org/fhir/v3/Confidentiality"
OWN = "https://hospital.example/labels"
OBJECTION: dict[str, Any] = {"objections": [f"{OWN}|no-ai"]}


def labelled(of: str, member: str, system: str, code: str) -> list[dict[str, Any]]:
    """The lung patient; the first resource of a type with a label."""
    resources = chart("demo-lung")
    first = next(resource for resource in resources if resource["resourceType"] == of)
    first["meta"] = {**first.get("meta", {}), member: [{"system": OWN, "code": "x"}, {"system": system, "code": code}]}
    return resources


@pytest.mark.parametrize(
    ("label", "rules", "restricted"),
    [
        (("Patient", "security", V3, "R"), {}, True),
        (("Patient", "security", STU3, "V"), {}, True),
        (("Observation", "security", "urn:oid:2.16.840.1.113883.5.25", "R"), {}, True),
        (("Patient", "security", V3, "N"), {}, False),
        (("Patient", "security", OWN, "R"), {}, False),
        (("Patient", "tag", V3, "R"), {}, False),
        (("Patient", "security", V3, "R"), {"labels": []}, False),
        (("Condition", "security", OWN, "PSY"), {"labels": [f"{OWN}|PSY"]}, True),
        (("Patient", "tag", OWN, "no-ai"), OBJECTION, True),
        (("Patient", "security", OWN, "no-ai"), OBJECTION, True),
        (("Observation", "tag", OWN, "no-ai"), OBJECTION, False),
    ],
)
def test_labels_and_objections_are_the_sites(
    label: tuple[str, str, str, str], rules: dict[str, Any], *, restricted: bool
) -> None:
    """Labels by code and system on any resource, objections on the Patient; without a setting R and V alone."""
    why = barred(record("demo-lung", labelled(*label)), RestrictedRecords(**rules), AT)
    assert why == ("restricted" if restricted else None)


def test_a_drug_of_r5_keeps_its_label() -> None:
    """What is read in the shape of another version is labelled all the same."""
    label = {"system": V3, "code": "V"}
    drug = {"resourceType": "MedicationStatement", "id": "m", "meta": {"security": [label]}}
    entries = tuple(Entry(e.resource) for e in decode(json.dumps(drug).encode(), "R5").entries if e.resource)
    assert barred(PatientRecord("demo-lung", entries), RestrictedRecords(), AT) == "restricted"


def test_of_a_restricted_record_nothing_is_shown() -> None:
    """Neither what is in it nor how much, on the card as in its extension; how the service runs is still said."""
    said = (notice("clock", at=AT),)
    assessment = assess(record("demo-lung"), AT, package(), said, barred="restricted")
    card = card_for(assessment, "https://service.example/model")
    assert card.summary == "Not scored: this record is restricted."
    assert card.extension is not None
    assert msgspec.to_builtins(card.extension["org.oncohooks.assessment"]).keys() == {
        "schemaVersion", "status", "abstained", "patient", "assessedAt", "model", "mapping", "notices",
    }  # fmt: skip


def test_the_warning_about_another_patient_goes_before() -> None:
    """Data of another patient are told even where the record is restricted, of which nothing is shown all the same."""
    mixed = record("demo-lung", [*chart("demo-lung"), chart("demo-breast")[0]])
    mixed = msgspec.structs.replace(mixed, retrieval=READ)
    assessment = assess(mixed, AT, package(), barred="objection-unknown")
    assert assessment.abstained
    assert assessment.abstained.code == "foreign-patient"
    assert (assessment.entity, assessment.coverage, assessment.retrieval) == (None, None, ())
    assert {(issue.code, issue.source) for issue in assessment.issues} == {("foreign-patient", "Patient/demo-breast")}


ASKED: dict[str, Any] = {"flags": [f"{OWN}|no-ai"], "consents": [f"{OWN}|ai"]}
WHO = {"reference": "Patient/demo-lung"}
FLAG = {"resourceType": "Flag", "id": "f", "status": "active", "subject": WHO}
CONSENT = {"resourceType": "Consent", "id": "c", "status": "active", "patient": WHO}
READ = (Retrieval("flags", "search", "empty"), Retrieval("consents", "search", "empty"))


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": OWN, "code": code}]}


OBJECTING = {**FLAG, "code": coded("no-ai")}
DENYING = {**CONSENT, "provision": {"type": "permit", "provision": [{"type": "deny", "code": [coded("ai")]}]}}


def why(*added: dict[str, Any], ledger: tuple[Retrieval, ...] = READ, **rules: Any) -> str | None:
    """Of the lung patient with these resources, as these queries brought them."""
    whole = record("demo-lung", [*chart("demo-lung"), *added])
    return barred(msgspec.structs.replace(whole, retrieval=ledger), RestrictedRecords(**(rules or ASKED)), AT)


@pytest.mark.parametrize(
    ("added", "restricted"),
    [
        (OBJECTING, True),
        (DENYING, True),
        ({**OBJECTING, "implicitRules": "urn:rules"}, True),
        ({**DENYING, "implicitRules": "urn:rules"}, True),
        ({**FLAG, "code": coded("allergic")}, False),
        ({**OBJECTING, "status": "inactive"}, False),
        ({**OBJECTING, "period": {"end": "2026-06-01"}}, False),
        ({**OBJECTING, "subject": {"reference": "Location/ward"}}, False),
        ({**FLAG, "code": {"coding": [{"system": "https://elsewhere.example", "code": "no-ai"}]}}, False),
        ({**FLAG, "code": coded("ai")}, False),
        ({**CONSENT, "provision": {"type": "permit", "code": [coded("ai")]}}, False),
        ({**CONSENT, "provision": {"type": "deny", "code": [coded("no-ai")]}}, False),
    ],
)
def test_flags_and_consents_object_as_the_site_sets(added: dict[str, Any], *, restricted: bool) -> None:
    """By its codes, of flags and of denials; a site that names none does not look at them."""
    assert why(added) == ("restricted" if restricted else None)
    assert why(added, labels=[]) is None
    assert why(added, ledger=(), labels=[]) is None


@pytest.mark.parametrize(
    "missing",
    [
        Retrieval("flags", "search", "failed", reason="the server could not be reached"),
        Retrieval("flags", "search", "failed", reason="not arrived within the time limit"),
        Retrieval("flags", "search", "partial", reason="page 2 was lost"),
        Retrieval("flags", "search", "notAsked", reason="the server does not offer Flag"),
        Retrieval("flags", "cache", "complete", reason="the server could not be reached"),
        None,
    ],
)
def test_an_objection_that_may_be_there_is_one(missing: Retrieval | None) -> None:
    """Failed, late, cut, not asked for, or older than the server's failure: it is not known, unless one was found."""
    ledger = (READ[1], *([missing] if missing else []))
    assert why(ledger=ledger) == "objection-unknown"
    assert why(OBJECTING, ledger=ledger) == why(DENYING, ledger=ledger) == "restricted"
    assert why(ledger=ledger, consents=ASKED["consents"]) is None
    assert why(ledger=(*ledger, READ[0])) == ("objection-unknown" if missing else None)


@pytest.mark.parametrize("reason", ["", "read after an OperationOutcome instead of an answer in prefetch"])
def test_what_was_read_a_moment_ago_is_known(reason: str) -> None:
    """A fresh answer of an earlier call is as good as a new one."""
    assert why(ledger=(READ[1], Retrieval("flags", "cache", "complete", reason=reason))) is None


def test_it_objects_today_or_at_the_moment_of_assessment() -> None:
    """Clinical time may stand still; what a patient wants does not."""
    later = AT + timedelta(days=30)
    for period, restricted in (({"start": "2026-07-15"}, True), ({"end": "2026-07-15"}, True), ({"end": "2026"}, True),
                               ({"start": "2026-09-01"}, False), ({"end": "2026-06-01"}, False)):  # fmt: skip
        whole = record("demo-lung", [*chart("demo-lung"), {**OBJECTING, "period": period}])
        whole = msgspec.structs.replace(whole, retrieval=READ)
        assert barred(whole, RestrictedRecords(**ASKED), AT, later) == ("restricted" if restricted else None)


def test_one_that_cannot_be_read_is_not_known() -> None:
    """Wherever it came from: a Bundle at hand, beside a whole answer."""
    assert why({**FLAG, "status": ["active"]}) == "objection-unknown"
    assert why({**CONSENT, "decision": "deny"}) == "objection-unknown"
    assert why({"resourceType": "Observation", "id": "o", "status": ["final"]}) is None


def test_of_several_versions_the_newest_counts() -> None:
    """Where none says that it is the newest, what the patient wants is not known."""
    old, new = ({"lastUpdated": f"2026-0{month}-01T00:00:00Z"} for month in (1, 2))
    lowered = {**OBJECTING, "status": "inactive"}
    assert why({**OBJECTING, "meta": old}, {**lowered, "meta": new}) is None
    assert why({**OBJECTING, "meta": new}, {**lowered, "meta": old}) == "restricted"
    assert why(OBJECTING, lowered) == "objection-unknown"


def test_of_what_is_not_known_only_the_queries_are_shown() -> None:
    """The card says what is missing, and nothing of the record."""
    ledger = (Retrieval("laboratory", "search", "complete", 9), Retrieval("flags", "search", "failed", reason="late"))
    whole = msgspec.structs.replace(record("demo-lung"), retrieval=ledger)
    assessment = assess(whole, AT, package(), barred="objection-unknown")
    assert (assessment.retrieval, assessment.coverage, assessment.entity, assessment.issues) == (
        ledger[1:],
        None,
        None,
        (),
    )
    card = card_for(assessment, "https://service.example/model")
    assert card.summary == "Not scored: whether the patient objects could not be read."
    assert "Flags or consents" in card.detail


def test_they_are_no_parameters() -> None:
    """A score is the same with them and without; `mapping explain` says what they are for."""
    added = record("demo-lung", [*chart("demo-lung"), OBJECTING, DENYING])
    told, before = assess(added, AT, package()), assess(record("demo-lung"), AT, package())
    assert {issue.source for issue in told.issues if issue.code == "for-objections"} == {"Flag/f", "Consent/c"}
    assert msgspec.structs.replace(told, issues=before.issues) == before
