"""One bad entry beside a patient's good ones: an issue that names it, and every other finding as without it.

No case is timed; each is as large as it says, so that what were not linear in it would not end.
"""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from fhir_mappings.concepts import ICD10_GM, LOINC, catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.record import PatientRecord, entries_of
from models.features import MODALITIES
from tests.unit.fhir_mappings.resources_of import (
    AT,
    BASE,
    HGNC,
    PATIENT,
    Resource,
    body_composition,
    coded,
    component,
    concept,
    condition,
    documented,
    encounter,
    imaging_study,
    measured,
    patient,
    reference,
    resource,
    sequence,
    tumour,
    variant,
)

BAD = "bad"
MANY, DEEP, LONG = 100_000, 10_000, 10_000_000
NAME = "Jane Doe"  # stands for whatever a record may hold; no issue may show it

GOOD = [
    patient(),
    *documented(),
    tumour(id="tumour"),
    condition("E11.9", id="diabetes"),
    measured("718-7", 13, "g/dL", id="hb"),
    measured("8302-2", 170, "cm", id="height"),
    coded("21901-4", "M0", "https://www.uicc.org/resources/tnm", id="m"),
    variant("HGNC:6407", "KRAS", "p.Gly12Asp", id="kras"),
    body_composition(id="bca", derivedFrom=[reference("ImagingStudy/ct")]),
    imaging_study(id="ct"),
    encounter("EMER", id="emergency"),
]


def haemoglobin(**members: Any) -> Resource:
    """An older result, so that it is not the one that counts if it is read."""
    return measured("718-7", 12, "g/dL", days=9, **({"id": BAD} | members))


def raw(whole: Resource, old: str, new: str) -> str:
    """The resource as text, with a text put in that JSON does not have, or that cannot be built otherwise."""
    text = json.dumps(whole)
    assert old in text
    return text.replace(old, new, 1)


def unread(whole: Resource, text: str) -> str:
    """The resource with a member that no reader looks at."""
    return raw(whole, '"id"', f'"x": {text}, "id"')


def nested(start: str = "[", end: str = "]", levels: int = DEEP) -> str:
    return start * levels + "1" + end * levels


def number(text: str, **members: Any) -> str:
    return raw(haemoglobin(**members), '"value": 12', f'"value": {text}')


def genes(codings: Iterable[Resource]) -> Resource:
    return component("48018-6", valueCodeableConcept={"coding": [{"system": HGNC} | coding for coding in codings]})


OBSERVATION, CONDITION = f"Observation/{BAD}", f"Condition/{BAD}"
UNREADABLE = {("unreadable", OBSERVATION)}
NO_RESOURCE = {("unreadable", "")}
NO_DATE = {("date-unreadable", OBSERVATION)}
EXTENSION = '[{"url": "x", "extension": '
CODING = {"system": LOINC, "code": "1-8"}

# name: the entry's resource, the issues it must raise (code, resource) and no others
CASES: dict[str, tuple[Resource | str, set[tuple[str, str]]]] = {
    # no FHIR
    "no object: a number": ("1", NO_RESOURCE),
    "no object: a text": (f'"{NAME}"', NO_RESOURCE),
    "no object: a list": ("[]", NO_RESOURCE),
    "no type": ({"id": BAD, "text": NAME}, {("unreadable", f"?/{BAD}")}),
    "a type that FHIR does not have": (resource("Blood_Test", id=BAD), {("unreadable", f"?/{BAD}")}),
    "a type that is hostile": (resource(f"<b>{NAME}</b>", id=BAD), {("unreadable", f"?/{BAD}")}),
    "a type that is no text": (raw(haemoglobin(), '"Observation"', "[1]"), {("unreadable", f"?/{BAD}")}),
    "a type twice": (raw(haemoglobin(), '"id"', '"resourceType": "Basic", "id"'), {("type-not-read", f"Basic/{BAD}")}),
    # ids
    "an id with a space": (haemoglobin(id=NAME), {("unreadable", "Observation/?")}),
    "an id of markup": (condition("E11.9", id="<script>"), {("unreadable", "Condition/?")}),
    "an id with a line break": (haemoglobin(id="a\n"), {("unreadable", "Observation/?")}),
    "an id with NUL": (haemoglobin(id="a\0"), {("unreadable", "Observation/?")}),
    "an id of 65 characters": (haemoglobin(id="x" * 65), {("unreadable", "Observation/?")}),
    "an id of 10 MB": (haemoglobin(id="x" * LONG), {("unreadable", "Observation/?")}),
    "an id that is a number": (haemoglobin(id=7), {("unreadable", "Observation/?")}),
    "an id that is half a character": (raw(haemoglobin(id="?x"), "?x", r"\ud800x"), {("unreadable", "Observation/?")}),
    # shapes
    "an array where an object belongs": (haemoglobin(code=[concept("718-7")]), UNREADABLE),
    "an object where an array belongs": (haemoglobin(component={"code": {}}), UNREADABLE),
    "a text where an object belongs": (haemoglobin(subject=f"Patient/{NAME}"), UNREADABLE),
    "null where a text belongs": (raw(haemoglobin(), '"final"', "null"), UNREADABLE),
    "a condition with an array as its code": (condition("E11.9", id=BAD, code=[]), {("unreadable", CONDITION)}),
    "an encounter with a text as its period": (encounter(id=BAD, period=NAME), {("unreadable", f"Encounter/{BAD}")}),
    # nesting
    "nested 10,000 deep in what is read": (
        raw(haemoglobin(component=0), '"component": 0', f'"component": {nested()}'),
        UNREADABLE,
    ),
    "nested 10,000 deep in what is not": (unread(haemoglobin(), nested()), UNREADABLE),
    "objects nested 10,000 deep": (unread(haemoglobin(), nested('{"a":', "}")), UNREADABLE),
    "nested 100,000 deep": (unread(condition("E11.9", id=BAD), nested(levels=100_000)), {("unreadable", CONDITION)}),
    "extensions nested 10,000 deep": (
        raw(condition("E11.9", id=BAD, extension=0), '"extension": 0', f'"extension": {nested(EXTENSION, "}]")}'),
        {("unreadable", CONDITION)},
    ),
    # dates
    "a billion years": (haemoglobin(effectiveDateTime="+1000000000-01-01"), NO_DATE),
    "a year of 20 digits": (haemoglobin(effectiveDateTime="12345678901234567890-01-01"), NO_DATE),
    "the year 0": (haemoglobin(effectiveDateTime="0000-01-01"), NO_DATE),
    "a 30th of February": (haemoglobin(effectiveDateTime="2024-02-30"), NO_DATE),
    "a date that is text": (haemoglobin(effectiveDateTime=NAME), NO_DATE),
    "a date of 10 MB": (haemoglobin(effectiveDateTime="2" * LONG), NO_DATE),
    "a date with NUL": (haemoglobin(effectiveDateTime="2024-01-01\0"), NO_DATE),
    "a date that is a number": (haemoglobin(effectiveDateTime=20240101), UNREADABLE),
    "the last second there is": (
        haemoglobin(effectiveDateTime="9999-12-31T23:59:59-14:00"),
        NO_DATE,
    ),
    "the last day there is": (haemoglobin(effectiveDateTime="9999-12-31"), {("after-at", OBSERVATION)}),
    "a diagnosis in a billion years": (
        condition("E11.9", id=BAD, onsetDateTime="+1000000000-01-01", recordedDate=None),
        {("date-unreadable", CONDITION)},
    ),
    "an encounter in a year of 20 digits": (
        encounter(id=BAD, period={"start": "12345678901234567890-01-01"}),
        {("date-unreadable", f"Encounter/{BAD}")},
    ),
    # numbers
    "a value of 1e308": (number("1e308"), {("implausible", OBSERVATION)}),
    "a value of -1e308": (number("-1e308"), {("implausible", OBSERVATION)}),
    "a value of 1e400": (number("1e400"), UNREADABLE),
    "a value of 400 digits": (number("9" * 400), UNREADABLE),
    "a value of 10 MB of digits": (number("9" * LONG), UNREADABLE),
    "a value of NaN": (number("NaN"), UNREADABLE),
    "a value of Infinity": (number("Infinity"), UNREADABLE),
    "a value of -Infinity": (number("-Infinity"), UNREADABLE),
    "NaN in what is not read": (unread(haemoglobin(), "[NaN]"), UNREADABLE),
    "an integer of 400 digits": (
        raw(haemoglobin(valueQuantity=None, valueInteger=0), '"valueInteger": 0', f'"valueInteger": {"9" * 400}'),
        {("unit-missing", OBSERVATION)},
    ),
    "an integer of 5,000 digits": (
        raw(haemoglobin(valueQuantity=None, valueInteger=0), '"valueInteger": 0', f'"valueInteger": {"9" * 5000}'),
        UNREADABLE,
    ),
    "a position of 400 digits": (
        raw(sequence("NC_000012.12", 17, "T", "C", id=BAD), '"start": 17', f'"start": {"9" * 400}'),
        {("gene-unknown", f"MolecularSequence/{BAD}")},
    ),
    "a volume of 1e308": (
        body_composition(volumes={"91727004": 1e308, "3138006": 1e-308}, id=BAD),
        {("implausible", OBSERVATION)},
    ),
    # texts
    "half a character in what is read": (raw(haemoglobin(status="?"), '"?"', r'"\ud800"'), UNREADABLE),
    "half a character in what is not": (unread(haemoglobin(), r'"a\udfffb"'), UNREADABLE),
    "NUL in a status": (haemoglobin(status="final\0"), {("status-not-used", OBSERVATION)}),
    "NUL in a code": (haemoglobin(code=concept("718-7\0")), {("code-unknown", OBSERVATION)}),
    "a code of 10 MB": (haemoglobin(code=concept("7" * LONG)), {("code-unknown", OBSERVATION)}),
    "a unit of 10 MB": (
        haemoglobin(valueQuantity={"value": 12, "unit": "g" * LONG}),
        {("unit-unknown", OBSERVATION)},
    ),
    "an answer of 10 MB": (
        coded("72166-2", "x", id=BAD, valueCodeableConcept=None, valueString="x" * LONG),
        {("answer-unknown", OBSERVATION)},
    ),
    "a protein change of 10 MB": (
        variant("HGNC:6407", "KRAS", "p." + "G" * LONG, id=BAD),
        {("variant-unclassified", OBSERVATION)},
    ),
    "a text of 10 MB that is not read": (haemoglobin(note=[{"text": NAME * (LONG // 8)}]), set()),
    # many
    "100,000 codings": (haemoglobin(code={"coding": [CODING] * MANY}), {("code-unknown", OBSERVATION)}),
    "100,000 codings of one parameter": (haemoglobin(code={"coding": [*concept("718-7")["coding"] * MANY]}), set()),
    "100,000 different codings of a diagnosis": (
        condition("x", id=BAD, code={"coding": [{"system": ICD10_GM, "code": f"S{n}"} for n in range(MANY)]}),
        {("code-unknown", CONDITION)},
    ),
    "100,000 codings of an answer": (
        coded("89247-1", "x", id=BAD, valueCodeableConcept={"coding": [CODING] * MANY}),
        {("answer-unknown", OBSERVATION)},
    ),
    "100,000 components": (
        haemoglobin(code=concept("1-8"), component=[component("1-8")] * MANY),
        {("code-unknown", OBSERVATION)},
    ),
    "100,000 genes": (
        variant("HGNC:0", id=BAD, parts=[genes({"code": f"HGNC:{n}", "display": f"G{n}"} for n in range(MANY))]),
        {("gene-conflict", OBSERVATION), ("gene-unknown", OBSERVATION)},
    ),
    "100,000 gene conflicts": (
        variant("HGNC:0", id=BAD, parts=[genes({"code": "HGNC:6407", "display": f"G{n}"} for n in range(MANY))]),
        {("gene-conflict", OBSERVATION)},
    ),
    "a protein change of 5,000 digits": (
        variant("HGNC:6407", "KRAS", f"p.G{'1' * 5000}D", id=BAD),
        {("variant-unclassified", OBSERVATION)},
    ),
    "a coding change of 5,000 digits": (
        variant("HGNC:6407", "KRAS", id=BAD, parts=[component("48004-6", valueString=f"c.{'1' * 5000}G>A")]),
        {("variant-unclassified", OBSERVATION)},
    ),
    "100,000 references": (
        encounter(id=BAD, diagnosis=[{"condition": reference(f"Condition/{n}")} for n in range(MANY)]),
        {("not-needed", f"Encounter/{BAD}")},
    ),
    "a reference of 10 MB": (
        haemoglobin(focus=[reference("Patient/" * (LONG // 8))]),
        {("about-someone-else", OBSERVATION)},
    ),
    # a member twice: the decoder keeps the last
    "a status twice": (
        raw(haemoglobin(), '"final", ', '"final", "status": "entered-in-error", '),
        {("status-not-used", OBSERVATION)},
    ),
}  # fmt: skip


def encoded(*resources: Resource | str) -> EncodedPatient:
    entries = [f'{{"resource": {one if isinstance(one, str) else json.dumps(one)}}}' for one in resources]
    decoded = decode(('{"resourceType": "Bundle", "entry": [' + ", ".join(entries) + "]}").encode())
    record = PatientRecord(PATIENT, entries_of(decoded.entries, scoped=True), (BASE,), issues=decoded.issues)
    return encode(record, catalogue().schema, AT, thorough=True)


ALONE = encoded(*GOOD)


def test_the_good_entries_say_something_of_every_kind() -> None:
    """Else that they are not affected would prove nothing."""
    assert {catalogue().schema[key].modality for key in ALONE.findings} == set(MODALITIES)
    assert {issue.code for issue in ALONE.issues} <= {"code-unknown", "not-needed", "histology-assumed"}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_entry_is_an_issue_and_nothing_else(name: str) -> None:
    """Exactly the issues that are expected, none with a text of the record, and the same findings."""
    bad, expected = CASES[name]
    beside = encoded(*GOOD[:4], bad, *GOOD[4:])
    added = set(beside.issues) - set(ALONE.issues)
    lost = {source.partition("/")[0] for code, source in expected if code == "unreadable"}
    uncounted = (
        {("not-needed", "Encounter/visit"), ("not-needed", "Encounter/emergency")}
        if lost & {"", "?", "Encounter"}
        else set()
    )
    assert {(issue.code, issue.source) for issue in added} == expected | uncounted
    assert all(len(issue.diagnostics) < 200 and NAME not in issue.diagnostics for issue in added)
    assert beside.findings == {k: f for k, f in ALONE.findings.items() if k not in not_concluded(lost)}


def not_concluded(lost: set[str]) -> set[str]:
    """The findings that need all conditions, encounters or observations; "" and "?" may have been anything."""
    unknown: tuple[str, ...] = ()
    if lost & {"", "?", "Condition", "Observation"}:
        unknown += ("M0 is stated",)
    if lost & {"", "?", "Condition", "Encounter"}:
        unknown += ("not among the problems", "sum over")
    if lost & {"", "?", "Encounter"}:
        unknown += ("counted over",)
    found = {key for key, finding in ALONE.findings.items() if finding.rule.startswith(unknown)}
    return found | ({"comorb_prior_malignancy"} if "Observation" in lost else set())  # pathology may show one
