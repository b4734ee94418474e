"""R5 resources, built and validated by fhir.resources (by others), become what R4 would have said."""

from typing import Any, get_args

import msgspec
import pytest
from fhir.resources.encounter import Encounter
from fhir.resources.imagingstudy import ImagingStudy
from fhir.resources.medicationadministration import MedicationAdministration
from fhir.resources.molecularsequence import MolecularSequence
from fhir.resources.R4B.encounter import Encounter as R4Encounter
from fhir.resources.R4B.imagingstudy import ImagingStudy as R4ImagingStudy
from fhir.resources.R4B.molecularsequence import MolecularSequence as R4MolecularSequence

from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import READ_TYPES, decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.record import PatientRecord, entries_of
from fhir_mappings.resources import r4, r5
from fhir_mappings.versions import Version, version_of
from tests.unit.fhir_mappings.resources_of import (
    ACT_CODE,
    ADMIT_SOURCE,
    AT,
    BASE,
    PATIENT,
    Resource,
    ago,
    body_composition,
    bundle,
    concept,
    condition,
    encounter,
    imaging_study,
    patient,
    reference,
    sequence,
)

SUBJECT = reference(f"Patient/{PATIENT}")
DICOM = "http://dicom.nema.org/resources/ontology/DCM"


def valid(model: type[Any], **members: Any) -> Resource:
    """The resource as fhir.resources accepts and writes it."""
    written: Resource = msgspec.json.decode(model(**members).model_dump_json(exclude_none=True))
    return {"resourceType": model.__name__} | written


def visit(*kinds: str, days: float = 30, length: float = 0.1, site: str = "", **members: Any) -> Resource:
    """Of these classes (emergency unless said otherwise), after one of the site's own if there is one."""
    whole = {
        "id": "visit",
        "status": "completed",
        "class_fhir": [
            *([concept(site, "urn:site")] if site else []),
            *(concept(k, ACT_CODE) for k in kinds or ["EMER"]),
        ],
        "subject": SUBJECT,
        "actualPeriod": {"start": ago(days), "end": ago(days - length)},
    }
    return valid(Encounter, **(whole | members))


def scan(code: str = "CT", **members: Any) -> Resource:
    modality = concept(code, DICOM)
    series = [{"uid": "1.2", "modality": modality, "bodySite": {"concept": concept("69536005")}}]
    whole = {"id": "scan", "status": "available", "subject": SUBJECT, "modality": [modality], "series": series}
    return valid(ImagingStudy, **(whole | {"started": ago(20)} | members))


def strand(**members: Any) -> Resource:
    return valid(
        MolecularSequence, **({"id": "strand", "type": "dna", "subject": SUBJECT, "literal": "ACGT"} | members)
    )


def one(whole: Resource, version: Version = "R5") -> r4.AnyResource:
    decoded = decode(msgspec.json.encode(whole), version)
    assert decoded.issues == ()
    [entry] = decoded.entries
    assert entry.resource is not None
    return entry.resource


def encoded(*resources: Resource, version: Version = "R5") -> EncodedPatient:
    decoded = decode(bundle(patient(), *resources), version)
    entries = entries_of(decoded.entries, scoped=True)
    return encode(PatientRecord(PATIENT, entries, (BASE,), issues=decoded.issues), catalogue().schema, AT)


def test_every_type_that_is_read_of_r4_is_read_of_r5() -> None:
    """A type that R5 changed needs a struct in r5.py; one that it did not change stands in its AnyResource."""
    assert {kind.__name__ for kind in get_args(r5.AnyResource)} == READ_TYPES


def test_an_encounter_of_r5_says_what_its_twin_of_r4_says() -> None:
    """Class, period, status, diagnoses, reasons and admission have other names and places."""
    period = {"start": "2024-05-01T10:00:00Z", "end": "2024-05-01T12:00:00Z"}
    r5 = visit(
        actualPeriod=period,
        diagnosis=[{"condition": [{"reference": reference("Condition/c")}, {"concept": concept("1")}]}],
        reason=[{"value": [{"concept": concept("2")}, {"reference": reference("Condition/d")}]}],
        admission={"admitSource": concept("emd", ADMIT_SOURCE)},
    )
    twin = encounter(
        "EMER",
        id="visit",
        period=period,
        diagnosis=[{"condition": reference("Condition/c")}],
        reasonCode=[concept("2")],
        hospitalization={"admitSource": concept("emd", ADMIT_SOURCE)},
    )
    assert one(r5) == one(twin, "R4")


@pytest.mark.parametrize("beside", [{}, {"concept": {"text": "cisplatin"}}])
def test_a_product_is_read_where_no_code_stands_beside_the_reference(beside: Resource) -> None:
    """R5 lets text and reference stand together; text names no drug."""
    product = {"resourceType": "Medication", "id": "m", "code": concept("L01XA01", "http://www.whocc.no/atc")}
    medication = {"reference": reference("Medication/m"), **beside}
    dose = {"status": "completed", "occurenceDateTime": ago(10), "subject": SUBJECT, "medication": medication}
    given = valid(MedicationAdministration, id="dose", **dose)
    assert encoded(given, product).findings["tx_chemo_platinum"].value == 1


@pytest.mark.parametrize(
    ("status", "proves"), [("completed", True), ("discharged", False), ("in-progress", False), ("discontinued", False)]
)
def test_only_a_completed_encounter_proves_that_problems_were_documented(status: str, *, proves: bool) -> None:
    """After a discharge the record may still be open."""
    found = encoded(visit("AMB", status=status), condition("S93.4", encounter=reference("Encounter/visit"), days=30))
    assert ("comorb_dementia" in found.findings) is proves


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error"])
def test_an_encounter_that_did_not_happen_is_not_counted(status: str) -> None:
    """R5 has these three as R4 has them."""
    found = encoded(visit("AMB"), visit(status=status, id="other"))
    assert found.findings["func_ed_visits_90d"].value == 0


def test_visits_and_days_are_counted_from_r5() -> None:
    """An emergency visit, and the two days in hospital that followed."""
    found = encoded(visit(id="a", days=30), visit("IMP", id="b", days=30, length=2))
    assert found.findings["func_ed_visits_90d"].value == 1
    assert found.findings["func_inpatient_days_90d"].value == 2


def test_a_class_of_the_site_beside_that_of_fhir_is_passed_over() -> None:
    """R5 lets a site add its own."""
    whole = one(visit("EMER", site="ward 3"))
    assert isinstance(whole, r4.Encounter)
    assert whole.class_.code == "EMER"


def test_two_classes_of_fhir_are_no_guess() -> None:
    """Emergency and inpatient at once would be counted wrongly either way, so that nothing is counted."""
    both = visit("EMER", "IMP")
    found = encoded(visit(id="other"), both)
    assert [(i.code, i.source) for i in found.issues if i.code != "not-needed"] == [("unreadable", "Encounter/visit")]
    assert "func_ed_visits_90d" not in found.findings


@pytest.mark.parametrize(("modality", "counts"), [("CT", True), ("MR", False)])
def test_an_imaging_study_of_r5_tells_its_modality(modality: str, *, counts: bool) -> None:
    """Body composition is read from CT only."""
    found = encoded(scan(modality), body_composition(derivedFrom=[reference("ImagingStudy/scan")]))
    assert ("bca_abdominal_muscle_bone_ratio" in found.findings) is counts
    series_only = scan(modality, modality=None)
    found = encoded(series_only, body_composition(derivedFrom=[reference("ImagingStudy/scan")]))
    assert ("bca_abdominal_muscle_bone_ratio" in found.findings) is counts


def test_a_sequence_of_r5_has_no_variants_and_says_so() -> None:
    """R5 took them out of it."""
    [issue] = [i for i in encoded(strand()).issues if i.source == "MolecularSequence/strand"]
    assert (issue.code, issue.diagnostics) == ("no-value", "no variant; FHIR R5 has none here")


def test_a_sequence_of_r5_of_somebody_else_is_foreign() -> None:
    """Whose it is counts, even where nothing is read."""
    assert encoded(strand(subject=reference("Patient/q"))).foreign


def r4_visit() -> Resource:
    members = {k: v for k, v in encounter(id="visit").items() if k not in {"resourceType", "class"}}
    return valid(R4Encounter, class_fhir={"system": ACT_CODE, "code": "AMB"}, **members)


def r4_scan() -> Resource:
    return valid(R4ImagingStudy, **{k: v for k, v in imaging_study(id="scan").items() if k != "resourceType"})


def r4_strand() -> Resource:
    whole = sequence("NC_000012.12", 25245350, "T", "C", id="strand")
    return valid(R4MolecularSequence, **{k: v for k, v in whole.items() if k != "resourceType"})


@pytest.mark.parametrize("whole", [visit(), scan(), scan(modality=None), strand()])
@pytest.mark.parametrize("expected", ["R4", "R4B"])
def test_a_shape_of_r5_where_r4_is_expected_is_an_issue(whole: Resource, expected: Version) -> None:
    """It names the resource and both versions; the resource is not read."""
    decoded = decode(bundle(whole, patient()), expected)
    assert len(decoded.entries) == 1
    [issue] = decoded.issues
    assert (issue.severity, issue.code) == ("warning", "other-version")
    assert issue.source == f"{whole['resourceType']}/{whole['id']}"
    assert issue.diagnostics == f"shaped as FHIR R5, expected {expected}"


@pytest.mark.parametrize("whole", [r4_visit(), r4_scan(), r4_strand()])
def test_a_shape_of_r4_where_r5_is_expected_is_an_issue(whole: Resource) -> None:
    """The other way round."""
    assert one(whole, "R4").id == one(whole, "R4B").id == whole["id"]
    decoded = decode(bundle(whole, patient()), "R5")
    assert len(decoded.entries) == 1
    [issue] = decoded.issues
    assert (issue.code, issue.diagnostics) == ("other-version", "shaped as FHIR R4, expected R5")


@pytest.mark.parametrize("member", ["actualPeriod", "admission", "reason"])
def test_one_member_of_r5_is_enough(member: str) -> None:
    """An Encounter without class and with another version's period would be read without its time."""
    whole = visit(admission={"origin": reference("Location/l")}, reason=[{"use": [concept("1")]}])
    kept = {"resourceType", "id", "status", "subject", member}
    [issue] = decode(bundle({name: value for name, value in whole.items() if name in kept})).issues
    assert issue.code == "other-version"


def test_a_mixture_of_two_versions_is_neither() -> None:
    """No part of it is believed."""
    mixed = visit() | {"period": {"start": ago(3)}}
    for version in ("R4", "R5"):
        [issue] = decode(bundle(mixed), version).issues
        assert issue.code == "unreadable"


def test_an_encounter_of_another_version_proves_no_absence() -> None:
    """What was not read may have been the reason for a disease to be listed."""
    proof = [encounter(id="a"), condition("S93.4", encounter=reference("Encounter/a"), days=30)]
    assert "comorb_dementia" in encoded(*proof, version="R4").findings
    assert "comorb_dementia" not in encoded(*proof, visit(), version="R4").findings


@pytest.mark.parametrize(
    ("number", "version"),
    [
        ("4.0.1", "R4"),
        ("4.0.0", "R4"),
        ("4.3.0", "R4B"),
        ("5.0.0", "R5"),
        ("3.0.2", None),
        ("6.0.0-ballot1", None),
        ("", None),
    ],
)
def test_the_version_is_told_by_its_number(number: str, version: Version | None) -> None:
    """As CapabilityStatement.fhirVersion writes it."""
    assert version_of(number) == version


@pytest.mark.parametrize("kind", [r5.Encounter, r5.ImagingStudy, r5.MolecularSequence])
def test_version_rules_and_modifiers_stay_with_the_resource(kind: type[Any]) -> None:
    """They decide whether it may be read, and which copy of it stands."""
    kept = {"meta": {"versionId": "3"}, "implicitRules": "urn:x", "modifierExtension": [{"url": "urn:y"}]}
    of_r5 = msgspec.convert({"resourceType": kind.__name__, "id": "a"} | kept, kind)
    of_r4 = of_r5.as_r4()
    assert [msgspec.to_builtins(getattr(of_r4, name)) for name in kept] == [
        msgspec.to_builtins(getattr(of_r5, name)) for name in kept
    ]
    assert (of_r4.meta.versionId, of_r4.implicitRules, len(of_r4.modifierExtension)) == ("3", "urn:x", 1)
