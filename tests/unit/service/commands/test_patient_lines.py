"""Lines of many patients, patient by patient."""

import json

import msgspec
import pytest

from service.commands.patient_lines import PatientLines
from tests.unit.service.far_end import BASE, observation, patient


def body(resource: object) -> bytes:
    return json.dumps(resource).encode()


def test_the_lines_of_a_patient_come_together_in_their_order() -> None:
    """Whatever lay between them, and however many there are."""
    with PatientLines() as lines:
        for number in range(1_500):
            lines.add(body(observation(number, f"Patient/{number % 2}")))
        lines.add(body(patient("1")))
        assert lines.patients() == ["0", "1"]
        [*first], [*second] = lines.of("0"), lines.of("1")
    assert [json.loads(line)["id"] for line in first] == [f"o{number}" for number in range(0, 1_500, 2)]
    assert json.loads(second[-1])["resourceType"] == "Patient"
    assert len(second) == 751


def test_the_patient_is_found_in_every_form_of_address() -> None:
    """Relative, with a version, with the server; MolecularSequence has it in `patient`."""
    with PatientLines() as lines:
        for address in ("Patient/a", "Patient/a/_history/3", f"{BASE}/Patient/a"):
            lines.add(body(observation(1, address)))
        lines.add(body({"resourceType": "MolecularSequence", "patient": {"reference": "Patient/a"}}))
        assert lines.patients() == ["a"]
        assert len(list(lines.of("a"))) == 4
        assert lines.bases == (BASE,)


def test_of_two_servers_none_is_the_patients() -> None:
    """The same id may be two people."""
    with PatientLines() as lines:
        lines.add(body(observation(1, f"{BASE}/Patient/a")))
        lines.add(body(observation(2, "https://other.example/Patient/a")))
        assert lines.bases == ()


def test_what_names_no_patient_is_counted_and_other_types_are_passed_over() -> None:
    """An identifier alone, a group, nothing."""
    with PatientLines() as lines:
        for subject in ({"identifier": {"value": "7"}}, {"reference": "Group/1"}, {"reference": 7}, "x", None):
            lines.add(body({**observation(1), "subject": subject}))
        lines.add(body({"resourceType": "Goal", "subject": {"reference": "Patient/a"}}))
        assert lines.patients() == []
        assert lines.unowned == 5


def test_a_product_goes_with_whoever_names_it() -> None:
    """A Medication is nobody's; another patient's record does not get it."""
    with PatientLines() as lines:
        lines.add(body({"resourceType": "Medication", "id": "m"}))
        lines.add(body({"resourceType": "Medication", "id": "other"}))
        named = {"medicationReference": {"reference": "Medication/m"}, "subject": {"reference": "Patient/a"}}
        lines.add(body({"resourceType": "MedicationStatement", **named}))
        lines.add(body(observation(1, "Patient/b")))
        assert lines.patients() == ["a", "b"]
        assert [json.loads(line).get("id") for line in lines.of("a")] == [None, "m"]
        assert len(list(lines.of("b"))) == 1
        assert lines.unowned == 0


@pytest.mark.parametrize("line", [b"oops", b"[]", b"7"])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    """The caller knows its line."""
    with PatientLines() as lines, pytest.raises(msgspec.MsgspecError):
        lines.add(line)
