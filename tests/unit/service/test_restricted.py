"""Records that a site does not have assessed."""

import json
from typing import Any

import msgspec
import pytest

from fhir_mappings.decoding import decode
from fhir_mappings.record import Entry, PatientRecord
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
    """Data of another patient are told even where the record is restricted."""
    mixed = [*chart("demo-lung"), chart("demo-breast")[0]]
    assessment = assess(record("demo-lung", mixed), AT, package(), barred="restricted")
    assert assessment.abstained
    assert assessment.abstained.code == "foreign-patient"
