import msgspec
import pytest

from fhir_mappings.decoding import decode
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.r4 import Observation
from service.commands.bundle import SeveralPatientsError, record_of
from tests.unit.service.far_end import BASE, PATIENT, bundle, observation, patient


def record(*resources: dict[str, object], wanted: str | None = None, following: str = "") -> PatientRecord:
    return record_of(decode(msgspec.json.encode(bundle(*resources, following=following))), wanted)


def test_the_only_patient_is_meant() -> None:
    """In a file with one Patient nobody has to be named; what is of nobody else is the record."""
    found = record(patient(), observation(1), observation(2))
    assert found.patient_id == PATIENT
    assert len(OwnResources(found).of(Observation)) == 2
    assert [(line.key, line.via, line.state, line.count) for line in found.retrieval] == [
        ("bundle", "bundle", "complete", 3)
    ]


def test_of_several_one_must_be_named() -> None:
    """With several Patients the message names them; with none, that there is none."""
    with pytest.raises(SeveralPatientsError, match="holds 2 patients, name one by --patient: a, b"):
        record(patient("b"), patient("a"))
    with pytest.raises(SeveralPatientsError, match="no Patient in it"):
        record(observation(1))


def test_the_others_are_left_out_without_alarm() -> None:
    """With a Patient named, what belongs to the others is not in the record."""
    found = record(patient("a"), patient("b"), observation(1, "Patient/a"), observation(2, "Patient/b"), wanted="a")
    assert [entry.resource.id for entry in found.entries] == ["a", "o1"]
    assert not OwnResources(found).foreign


def test_a_product_is_everybodys() -> None:
    """A Medication names no patient; without it the drug would not be known."""
    product: dict[str, object] = {"resourceType": "Medication", "id": "m"}
    found = record(patient("a"), patient("b"), product, observation(2, "Patient/b"), wanted="a")
    assert [entry.resource.id for entry in found.entries] == ["a", "m"]


def test_a_stranger_in_one_patients_file_stays_an_alarm() -> None:
    """In a file with one Patient, a resource of someone else is a mistake that must be seen."""
    assert OwnResources(record(patient(), observation(1, "Patient/other"))).foreign


def test_the_files_own_addresses_are_the_patients() -> None:
    """An absolute reference to the Patient as the file addresses it is the patient's."""
    found = record(patient(), observation(1, f"{BASE}/Patient/{PATIENT}"))
    assert not OwnResources(found).foreign


def test_a_saved_page_is_partial() -> None:
    """A file that is one page of more says so in the ledger."""
    assert record(patient(), following=f"{BASE}?page=2").retrieval[0].state == "partial"
