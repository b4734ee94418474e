"""Bytes -> typed resources: what is broken costs itself and nothing else."""

import msgspec
import pytest

from fhir_mappings.decoding import NotReadableError, decode
from fhir_mappings.resources.r4 import Bundle, Observation, OperationOutcome, Patient
from fhir_mappings.versions import Version
from tests.unit.fhir_mappings.resources_of import Resource, bundle, measured, patient

GOOD = measured("718-7", 13, "g/dL", id="good")


def raw_bundle(*entries: str) -> bytes:
    return ('{"resourceType": "Bundle", "type": "searchset", "entry": [' + ", ".join(entries) + "]}").encode()


def entry(resource: Resource) -> str:
    return '{"resource": ' + msgspec.json.encode(resource).decode() + "}"


def test_a_resource_alone_is_decoded() -> None:
    """A read by id answers with the resource itself."""
    decoded = decode(msgspec.json.encode(patient()))
    assert [type(e.resource) for e in decoded.entries] == [Patient]
    assert decoded.issues == ()


@pytest.mark.parametrize("kind", ["searchset", "transaction", "collection", "document"])
def test_a_bundle_of_any_type_is_decoded(kind: str) -> None:
    """What matters is in the entries."""
    body = msgspec.json.encode({"resourceType": "Bundle", "type": kind, "entry": [{"resource": GOOD}]})
    assert isinstance(decode(body).entries[0].resource, Observation)


def test_members_that_no_reader_uses_are_skipped() -> None:
    """Narrative, meta and extensions cost nothing."""
    body = msgspec.json.encode(GOOD | {"text": {"div": "<div/>"}, "meta": {"tag": [{}]}, "_status": {"id": "x"}})
    assert decode(body).issues == ()


def test_the_next_page_is_told() -> None:
    """A link of another relation is none."""
    links = [{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}]
    whole = {"resourceType": "Bundle", "link": links, "entry": [{"resource": GOOD}]}
    assert decode(msgspec.json.encode(whole)).next == "b"
    broken = whole | {"entry": [{"resource": GOOD | {"status": 1}}]}
    assert decode(msgspec.json.encode(broken)).next == "b"


def test_an_operation_outcome_among_the_entries_is_kept() -> None:
    """A server says beside its answer what went wrong."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
    assert isinstance(decode(bundle(GOOD, outcome)).entries[1].resource, OperationOutcome)


@pytest.mark.parametrize(
    "broken",
    [
        {"valueQuantity": {"value": "13"}},
        {"status": None},
        {"code": []},
        {"component": {"code": {}}},
        {"subject": "Patient/p"},
        {"valueInteger": 1.5},
        {"hasMember": [1]},
    ],
)
def test_a_resource_of_another_shape_costs_only_itself(broken: Resource) -> None:
    """R4 defines the types of its members; a wrong one is an issue that names the resource."""
    decoded = decode(bundle(GOOD, measured("718-7", 12, "g/dL", id="bad") | broken, patient()))
    assert [e.resource.id for e in decoded.entries if e.resource] == ["good", "p"]
    assert [(i.code, i.source) for i in decoded.issues] == [("unreadable", "Observation/bad")]


def test_what_is_wrong_is_told_by_its_path_without_the_value() -> None:
    """Diagnostics never echo the record."""
    bad = measured("718-7", 12, "g/dL", id="bad") | {"valueQuantity": {"value": "Jane Doe"}}
    [issue] = decode(bundle(bad)).issues
    assert "$.valueQuantity.value" in issue.diagnostics
    assert "Jane" not in issue.diagnostics


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400 + ".5"])
def test_a_number_without_end_costs_only_its_entry(number: str) -> None:
    """JSON allows what no float can hold."""
    bad = '{"resource": {"resourceType": "Observation", "id": "bad", "valueQuantity": {"value": ' + number + "}}}"
    decoded = decode(raw_bundle(entry(GOOD), bad))
    assert [e.resource.id for e in decoded.entries if e.resource] == ["good"]
    assert [i.code for i in decoded.issues] == ["unreadable"]


@pytest.mark.parametrize("word", ["nan", "undefined", "'a'", "0x1", "{,}"])
def test_what_is_no_json_rejects_the_body(word: str) -> None:
    """A body that is not JSON cannot be told apart into entries."""
    with pytest.raises(NotReadableError):
        decode(raw_bundle(entry(GOOD), '{"resource": {"resourceType": "Observation", "x": ' + word + "}}"))


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"Patient"', b"{}", b'{"resourceType": 1}', b"<html>", b"\xff\xfe", b'{"resourceType"'],
)
def test_what_is_no_resource_is_refused(body: bytes) -> None:
    """HTML, a list, nothing: one exception, that quotes nothing."""
    with pytest.raises(NotReadableError) as refused:
        decode(body)
    assert "Patient" not in str(refused.value)


@pytest.mark.parametrize("whole", ['{"resourceType": "Bundle", "entry": {}}', '{"resourceType": "Bundle", "link": 1}'])
def test_a_bundle_whose_entries_cannot_be_told_apart_is_refused(whole: str) -> None:
    """There is nothing to fall back to."""
    with pytest.raises(NotReadableError):
        decode(whole.encode())


@pytest.mark.parametrize("broken", ["null", "1", "[]", '{"resource": null}', '{"resource": 1}', '{"fullUrl": 1}', "{}"])
def test_an_entry_that_is_none_costs_only_itself(broken: str) -> None:
    """Whatever stands in the list."""
    decoded = decode(raw_bundle(entry(GOOD), broken, '{"resource": {"resourceType": "Observation", "status": 1}}'))
    assert [e.resource.id for e in decoded.entries if e.resource] == ["good"]
    assert {i.code for i in decoded.issues} == {"unreadable"}


def test_nesting_that_fhir_may_have_is_followed() -> None:
    """Extensions in extensions in extensions."""
    nested = '{"resource": {"resourceType": "Observation", "id": "a", "x": ' + "[" * 200 + "]" * 200 + "}}"
    assert len(decode(raw_bundle(entry(GOOD), nested)).entries) == 2


def test_types_that_no_reader_reads_are_issues_of_information() -> None:
    """A whole-life bundle holds claims and procedures."""
    decoded = decode(bundle(GOOD, {"resourceType": "Immunization", "id": "p1", "status": "done"}))
    assert [(i.severity, i.code, i.source) for i in decoded.issues] == [
        ("information", "type-not-read", "Immunization/p1")
    ]


@pytest.mark.parametrize("kind", [None, 7, "", "<script>", "blood test"])
def test_what_has_no_type_of_fhir_may_have_been_anything(kind: object) -> None:
    """So it is unreadable, and no list is complete without it."""
    [issue] = decode(bundle(GOOD, {"resourceType": kind, "id": "x"})).issues
    assert (issue.severity, issue.code, issue.source) == ("warning", "unreadable", "?/x")


@pytest.mark.parametrize(
    ("kind", "name", "source"),
    [
        ("Immunization", "a b", "Immunization/?"),
        ("Immunization", 7, "Immunization/?"),
        ("<script>", "x", "?/x"),
        (7, "x", "?/x"),
        ("Immunization", "x" * 65, "Immunization/?"),
        ("Observation", "<script>", "Observation/?"),
        ("Observation", "a\n", "Observation/?"),
        ("Observation", "x" * 65, "Observation/?"),
        ("Observation", "ä", "Observation/?"),
    ],
)
def test_a_source_is_shown_only_as_fhir_allows_it(kind: object, name: object, source: str) -> None:
    """Type and id may be logged, so neither may hold anything else."""
    [issue] = decode(bundle(GOOD, {"resourceType": kind, "id": name})).issues
    assert issue.source == source


def test_the_address_of_a_resource_is_its_type_and_id() -> None:
    """What findings, issues and cards name."""
    assert Observation(id="a").address == "Observation/a"
    assert Bundle().next == ""


@pytest.mark.parametrize("version", ["R4", "R5"])
@pytest.mark.parametrize("more", [(), ('{"resource": {"resourceType": "Device"}}',), ('{"resource": []}',), ("{}",)])
def test_how_many_entries_there_are_and_should_be(version: Version, more: tuple[str, ...]) -> None:
    """Whatever they are; what is no number is no total."""
    for total, told in (("7", 7), ("null", 0), ('"7"', 0), ("[]", 0)):
        body = raw_bundle(entry(patient()), *more).replace(b'"entry"', f'"total": {total}, "entry"'.encode())
        found = decode(body, version)
        assert (found.total, found.size) == (told, 1 + len(more))


@pytest.mark.parametrize(("bundles", "seen"), [(2, True), (5, True), (6, False)])
def test_bundles_in_a_bundle_are_searched_for_whom_they_are_about(bundles: int, *, seen: bool) -> None:
    """Four deep, and no deeper: each level is decoded anew."""
    body = msgspec.json.encode(GOOD)
    for _ in range(bundles):
        body = raw_bundle(f'{{"resource": {body.decode()}}}')
    assert [one.source for one in decode(body).unread] == (["Observation/good"] if seen else [])
