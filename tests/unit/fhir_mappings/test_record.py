"""Whose a resource is, and what a reference names."""

from typing import Any

import pytest

from fhir_mappings.record import FOREIGN_PATIENT, OwnResources
from fhir_mappings.resources.r4 import Condition, Observation
from tests.unit.fhir_mappings.resources_of import (
    BASE,
    PATIENT,
    Resource,
    bundle,
    condition,
    encoded,
    measured,
    patient,
    record,
    reference,
    resource,
    value,
)

SODIUM = "2951-2"
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


def test_the_same_resource_in_two_answers_counts_once() -> None:
    """The later answer stands."""
    old, new = sodium(reference("Patient/p"), id="a"), sodium(reference("Patient/p"), id="a")
    new["valueQuantity"]["value"] = 150
    assert kept(old, new)[0] == 1
    assert value("lab_sodium", old, new) == 150


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
