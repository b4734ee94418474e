"""Whose a resource is, and what a reference names."""

from typing import Any

import pytest

from fhir_mappings.record import FOREIGN_PATIENT, OwnResources
from fhir_mappings.resources.r4 import Condition, Observation
from tests.unit.fhir_mappings.resources_of import (
    BASE,
    PATIENT,
    UCUM,
    Resource,
    ago,
    bundle,
    codes,
    condition,
    documented,
    encoded,
    encounter,
    finding,
    issues,
    measured,
    observation,
    patient,
    record,
    reference,
    resource,
    sequence,
    value,
)

SODIUM = "2951-2"
NOON = "2024-05-19T12:00:00Z"
URN = "urn:uuid:7c1b7e9a-5a0e-4b6e-9a55-0d1a0e3c5f10"


def sodium(subject: Resource | None, **members: Any) -> Resource:
    return measured(SODIUM, 140, "mmol/L", subject=subject, **members)


def kept(*resources: Resource, scoped: bool = True, urls: dict[str, str] | None = None) -> tuple[int, list[str]]:
    """How many Observations are the patient's, and the codes of the issues."""
    own = OwnResources(record(*resources, scoped=scoped, urls=urls))
    return len(own.of(Observation)), [issue.code for issue in own.issues]


@pytest.mark.parametrize(
    "address",
    [
        f"Patient/{PATIENT}",
        f"Patient/{PATIENT}/_history/3",
        f"{BASE}/Patient/{PATIENT}",
        f"{BASE}/Patient/{PATIENT}/_history/3",
    ],
)
def test_the_patient_is_named_relatively_by_version_or_on_the_own_server(address: str) -> None:
    """All four are the same person."""
    assert kept(sodium(reference(address))) == (1, [])


@pytest.mark.parametrize(
    "address",
    [
        "Patient/q",
        f"Patient/{PATIENT}2",
        f"Patient/{PATIENT}/_history",
        f"https://elsewhere.example/fhir/Patient/{PATIENT}",
        f"{BASE}/other/Patient/{PATIENT}",
        f"{BASE}.example.org/Patient/{PATIENT}",
        f"RelatedPatient/{PATIENT}",
        f"Group/{PATIENT}",
        f"Patient?identifier={PATIENT}",
        "#p",
        URN,
    ],
)
def test_what_cannot_be_shown_to_be_the_patient_is_foreign(address: str) -> None:
    """The same id on another server, a longer id, a group, a contained patient: each is somebody else."""
    assert kept(sodium(reference(address))) == (0, [FOREIGN_PATIENT])
    assert encoded(sodium(reference(address))).foreign


def test_a_urn_names_the_patient_whose_entry_has_it() -> None:
    """Bundles refer by the full address of an entry."""
    assert kept(patient(), sodium(reference(URN)), urls={PATIENT: URN}) == (1, [])
    other = patient(id="q")
    assert kept(patient(), other, sodium(reference(URN)), urls={"q": URN}) == (0, [FOREIGN_PATIENT, FOREIGN_PATIENT])


@pytest.mark.parametrize(
    ("named", "codes"),
    [
        ({"system": "urn:mrn", "value": "1"}, []),
        ({"system": "urn:mrn", "value": "2"}, [FOREIGN_PATIENT]),
        ({"system": "urn:other", "value": "1"}, [FOREIGN_PATIENT]),
    ],
)
def test_an_identifier_names_the_patient_who_has_it(named: Resource, codes: list[str]) -> None:
    """System and value both count."""
    own = patient(identifier=[{"system": "urn:mrn", "value": "1"}])
    assert kept(own, sodium({"identifier": named}))[1] == codes


@pytest.mark.parametrize("half", [{"system": "urn:mrn"}, {"value": "1"}, {}])
def test_half_an_identifier_names_nobody(half: Resource) -> None:
    """A system without a value is the same for every patient of the hospital."""
    own = patient(identifier=[{"system": "urn:mrn"}, {"value": "1"}, {}])
    assert kept(own, sodium({"identifier": half}), scoped=False) == (0, ["no-subject"])


def test_no_subject_is_taken_from_a_query_that_was_scoped_to_the_patient_only() -> None:
    """A server that answers for one patient may leave the patient out; a file may not."""
    assert kept(sodium(None), scoped=True) == (1, [])
    assert kept(sodium(None), scoped=False) == (0, ["no-subject"])


def test_another_patients_resource_never_reaches_a_value() -> None:
    """The alarm is an error, the value is missing."""
    assert value("lab_sodium", sodium(reference("Patient/q"))) is None
    [issue] = [i for i in encoded(sodium(reference("Patient/q"))).issues if i.code == FOREIGN_PATIENT]
    assert issue.severity == "error"


def test_another_patient_in_the_answer_is_foreign() -> None:
    """Even where no result of theirs came along."""
    assert encoded(patient(), patient(id="q")).foreign


def test_treatment_of_another_patient_is_foreign_and_a_product_is_nobodys() -> None:
    """Every type that has a subject is asked for it."""
    for kind in ("MedicationAdministration", "MedicationStatement", "MedicationRequest", "Procedure", "List"):
        found = OwnResources(record(resource(kind, subject=reference("Patient/other"))))
        assert [issue.code for issue in found.issues] == ["foreign-patient"]
    assert not OwnResources(record(resource("Medication", subject=None), scoped=False)).issues


def version(amount: float, **meta: str) -> Resource:
    quantity = {"value": amount, "unit": "mmol/L", "code": "mmol/L", "system": UCUM}
    return sodium(reference("Patient/p"), id="a", valueQuantity=quantity, meta=meta, effectiveDateTime=ago(1))


def test_the_same_resource_in_two_answers_counts_once() -> None:
    """Also where one answer lost its `meta`."""
    assert kept(version(140), version(140, versionId="2")) == (1, [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"lastUpdated": "2024-05-19T10:00:00Z"}, {"lastUpdated": "2024-05-19T11:30:00+01:00"}),
        ({"versionId": "9"}, {"versionId": "10"}),
        (
            {"versionId": "9", "lastUpdated": "2024-05-19T10:00:00Z"},
            {"versionId": "2", "lastUpdated": "2024-05-20T10:00:00Z"},
        ),
        ({"versionId": "1", "lastUpdated": NOON}, {"versionId": "2", "lastUpdated": NOON}),
    ],
)
def test_the_newer_version_stands_whatever_the_order(old: dict[str, str], new: dict[str, str]) -> None:
    """By the time of the update, else by the number of the version."""
    assert value("lab_sodium", version(140, **old), version(150, **new)) == 150
    assert value("lab_sodium", version(150, **new), version(140, **old)) == 150


@pytest.mark.parametrize(
    ("first", "second"),
    [({}, {}), ({"versionId": "2"}, {}), ({"versionId": "a"}, {"versionId": "b"}), ({"versionId": "3"},) * 2],
)
def test_versions_of_unknown_order_are_not_used(first: dict[str, str], second: dict[str, str]) -> None:
    """Neither the first nor the last in the list is a guess that may be made."""
    assert kept(version(140, **first), version(150, **second)) == (0, ["version-unclear"])


def test_three_versions_give_the_newest() -> None:
    """In any order."""
    three = [version(140 + n, versionId=str(n)) for n in (1, 3, 2)]
    assert value("lab_sodium", *three) == 143


def test_a_disease_is_not_absent_where_a_version_of_a_diagnosis_is_unclear() -> None:
    """What was left out may be that disease."""
    unclear = [condition("I50.0", id="c"), condition("I50.1", id="c")]
    assert value("comorb_dementia", *documented()) == 0
    assert value("comorb_dementia", *documented(), *unclear) is None


RULES_OF_THEIRS = "https://elsewhere.example/rules"
MODIFIED = [{"url": "https://elsewhere.example/not-really", "valueBoolean": True}]


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        (sodium(reference("Patient/p"), implicitRules=RULES_OF_THEIRS), "lab_sodium"),
        (condition("I50.0", implicitRules=RULES_OF_THEIRS), "comorb_chf"),
        (patient(implicitRules=RULES_OF_THEIRS), "demo_age_at_baseline"),
        (sequence("NC_000012.11", 25398284, "T", "C", implicitRules=RULES_OF_THEIRS), "gene_kras"),
    ],
)
def test_rules_that_nobody_knows_keep_a_resource_out(resource: Resource, key: str) -> None:
    """`implicitRules` is a modifier element of every resource."""
    assert value(key, {**resource, "implicitRules": ""}) is not None
    assert value(key, resource) is None
    assert "rules-unknown" in codes(resource)


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        (patient(modifierExtension=MODIFIED), "demo_age_at_baseline"),
        (sequence("NC_000012.11", 25398284, "T", "C", modifierExtension=MODIFIED), "gene_kras"),
        (encounter("EMER", modifierExtension=MODIFIED), "func_ed_visits_90d"),
    ],
)
def test_an_unknown_modifier_keeps_a_resource_out(resource: Resource, key: str) -> None:
    """Of a Patient, a sequence, an encounter; Observations and Conditions are judged by their readers."""
    assert value(key, {**resource, "modifierExtension": []}) is not None
    assert value(key, resource) is None
    assert "modifier-unknown" in codes(resource)


def test_encounters_are_not_counted_where_one_was_not_understood() -> None:
    """Nor does their list prove that a disease is absent."""
    unknown = encounter("EMER", modifierExtension=MODIFIED)
    assert value("func_ed_visits_90d", encounter("EMER"), unknown) is None
    assert value("comorb_dementia", *documented(), unknown) is None


def panel(*contained: Resource, **members: Any) -> Resource:
    """A metabolic panel with its results inside."""
    parts = [reference(f"#{part['id']}") for part in contained]
    return observation("24323-8", id="panel", contained=list(contained), hasMember=parts, **members)


def test_a_contained_result_is_a_part_of_its_container() -> None:
    """Without a subject or a time of its own it has the container's."""
    inside = sodium(None, id="na", effectiveDateTime=None)
    found = finding("lab_sodium", panel(inside, days=3))
    assert (found.value, found.sources) == (140, ("Observation/panel#na",))
    assert found.effective is not None
    assert found.effective.isoformat() == ago(3)


def test_a_contained_result_may_be_dated_by_itself() -> None:
    """It may lie outside the window, or after the assessment."""
    assert value("lab_sodium", panel(sodium(None, id="na", effectiveDateTime=ago(200)), days=3)) is None
    assert value("lab_sodium", panel(sodium(None, id="na", effectiveDateTime=ago(-1)), days=3)) is None


def test_a_contained_result_of_somebody_else_is_foreign() -> None:
    """Another patient, or a contained one, who cannot be shown to be this one."""
    for other in ("Patient/q", "#somebody"):
        assert encoded(panel(sodium(reference(other), id="na"))).foreign
    somebody = {"resourceType": "Patient", "id": "somebody"}
    assert encoded(panel(somebody, subject=reference("#somebody"))).foreign


def test_what_the_container_says_holds_for_its_parts() -> None:
    """Rules and modifiers."""
    inside = sodium(None, id="na")
    assert value("lab_sodium", panel(inside, implicitRules=RULES_OF_THEIRS)) is None
    assert value("lab_sodium", panel(inside, modifierExtension=MODIFIED)) is None


def test_a_contained_resource_that_is_not_fhir_costs_itself_only() -> None:
    """Other types of contained resource are not looked at."""
    broken = {"resourceType": "Observation", "id": "bad", "status": 7}
    specimen = {"resourceType": "Specimen", "id": "s", "status": 7}
    found = [panel(sodium(None, id="na"), broken, specimen)]
    assert value("lab_sodium", *found) == 140
    assert [i.source for i in issues(*found) if i.code == "unreadable"] == ["Observation/panel"]


def test_the_order_is_that_of_the_addresses() -> None:
    """Whatever the order of the record, also for resources without an id."""
    several = [sodium(None, id=name) for name in ("b", "a")] + [
        condition("I50.0", id=None),
        condition("J44.0", id=None),
    ]
    forwards, backwards = OwnResources(record(*several)), OwnResources(record(*reversed(several)))
    assert forwards.of(Observation) == backwards.of(Observation)
    assert forwards.of(Condition) == backwards.of(Condition)
    assert len(forwards.of(Condition)) == 2


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Condition/1", "Condition/1"),
        ("Condition/1/_history/2", "Condition/1"),
        (f"{BASE}/Condition/1", "Condition/1"),
        (URN, "Observation/a"),
        ("https://elsewhere.example/fhir/Condition/1", "https://elsewhere.example/fhir/Condition/1"),
        ("#contained", "#contained"),
        ("", ""),
    ],
)
def test_a_reference_is_resolved_within_the_record_and_the_own_server_only(written: str, address: str) -> None:
    """By full address of an entry, without base and version; everything else stays as written."""
    own = OwnResources(record(sodium(None, id="a"), urls={"a": URN}))
    assert own.address_of(written) == address


def test_a_bundle_without_entries_makes_an_empty_record() -> None:
    """No entry, no resource, no issue."""
    own = OwnResources(record(patient()))
    assert own.of(Observation) == []
    assert not own.foreign
    assert bundle() == b'{"resourceType":"Bundle","type":"searchset","entry":[]}'
