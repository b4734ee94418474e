import json
from time import perf_counter
from typing import Any

import pytest

from fhir_mappings.resources.r4 import Observation
from service.cds_hooks.envelope import read_request
from service.cds_hooks.wire import HookRequest
from service.errors import MalformedError, ToldError, TooManyEntriesError
from tests.unit.service.far_end import PATIENT, bundle, hook_call, leave, observation, patient

WANTED = frozenset({"patient", "laboratory"})
CONTEXT = b'"context":{"patientId":"1"}'
LEAVE = json.dumps(leave("a")).encode()


def read(body: bytes | dict[str, Any], limit: int = 10_000) -> HookRequest:
    return read_request(body if isinstance(body, bytes) else json.dumps(body).encode(), limit, WANTED)


def refusal(body: bytes | dict[str, Any], limit: int = 10_000) -> ToldError:
    started = perf_counter()
    with pytest.raises(ToldError) as caught:
        read(body, limit)
    assert perf_counter() - started < 1
    return caught.value


@pytest.mark.parametrize("indent", [None, 2])
def test_a_call_is_read(indent: int | None) -> None:
    """A call is read whatever its layout and whatever members it has beyond those of the specification."""
    call = hook_call(
        fhirServer="https://a/r4",
        fhirAuthorization={
            "access_token": "abc",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "a (b)/c",
            "subject": "oncohooks",
            "patient": "1",
        },
        prefetch={"patient": patient(), "laboratory": bundle(observation(1)), "notOurs": [1], "null": None},
        extension={"com.epic.cdshooks.request.bpa-trigger-action": "60"},
        unknown={"a": [1, {}]},
    )
    body = json.dumps(call, indent=indent).encode() + b"\n"
    request = read(body)
    assert (request.hook, request.context.patientId, request.fhirServer) == ("patient-view", PATIENT, "https://a/r4")
    assert request.fhirAuthorization
    assert request.fhirAuthorization.access_token == "abc"  # noqa: S105
    assert (request.fhirAuthorization.subject, request.fhirAuthorization.scope) == ("oncohooks", "a (b)/c")
    laboratory = request.prefetch["laboratory"]
    assert laboratory
    assert isinstance(laboratory.entries[0].resource, Observation)
    assert request.prefetch.keys() == WANTED


def test_null_is_an_absent_member_but_in_prefetch() -> None:
    """Null, which CDS Hooks forbids, counts as left out; in prefetch it says that there are no data."""
    call = hook_call(prefetch={"laboratory": None})
    call |= {"fhirServer": None, "fhirAuthorization": None, "extension": None}
    call["context"]["encounterId"] = None
    request = read(call)
    assert (request.fhirServer, request.fhirAuthorization, request.context.encounterId) == ("", None, "")
    assert request.prefetch == {"laboratory": None}
    assert read({**call, "prefetch": None}).prefetch == {}


def test_one_bad_entry_costs_only_itself() -> None:
    """A resource that is not as FHIR defines it becomes an issue; the others are read."""
    broken = {**observation(2), "valueQuantity": "13"}
    laboratory = read(hook_call(prefetch={"laboratory": bundle(observation(1), broken)})).prefetch["laboratory"]
    assert laboratory
    assert [entry.resource.id for entry in laboratory.entries if entry.resource] == ["o1"]
    assert [(issue.code, issue.source) for issue in laboratory.issues] == [("unreadable", "Observation/o2")]


@pytest.mark.parametrize("value", [[], "x", 1, {}, {"resourceType": 1}])
def test_a_value_that_is_no_resource_counts_as_not_sent(value: object) -> None:
    """A prefetch value that is no FHIR resource is left out, and an issue says so."""
    request = read(hook_call(prefetch={"laboratory": value}))
    assert "laboratory" not in request.prefetch
    assert [issue.diagnostics for issue in request.issues] == ["prefetch laboratory is no FHIR resource"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"hook":"a","hook":"a",' + CONTEXT + b"}",
        b'{"hook":"a","hook":"b",' + CONTEXT + b"}",
        b'{"hook":"a", "\\u0068ook" : "b",' + CONTEXT + b"}",
        b'{"hook":"a",' + CONTEXT + b"," + CONTEXT + b"}",
        b'{"hook":"a","context":{"patientId":"1","patientId":"2"}}',
        b'{"hook":"a","context":{"patientId":"1","x":{"a":1},"x":{"a":1}}}',
        b'{"hook":"a",' + CONTEXT + b',"prefetch":{"a":null,"a":null}}',
        b'{"hook":"a",' + CONTEXT + b',"prefetch":{"a":null},"prefetch":{"a":null}}',
        b'{"hook":"a",' + CONTEXT + b',"prefetch":{},"prefetch":{"a":null}}',
        b'{"hook":"a",' + CONTEXT + b',"unknown":1,"unknown":1}',
        b'{"hook":"a",' + CONTEXT + b',"unknown":1,"prefetch":{"a":1,"a":2}}',
        b'{"hook":"a",' + CONTEXT + b',"fhirServer":"x","fhirAuthorization":{"access_token":"a","access_token":"b"}}',
    ],
)
def test_a_member_that_stands_twice_is_refused(body: bytes) -> None:
    """Two equal keys anywhere in the envelope, however they are written, are refused."""
    assert str(refusal(body)).endswith("a member twice")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "the body is not JSON"),
        (b"\xff\xfe", "the body is not UTF-8"),
        (b"[]", "the body is not a JSON object"),
        (b'{"hook":"a",' + CONTEXT, "the body is not JSON"),
        (b'{"hook":"a",' + CONTEXT + b"} x", "the body is not JSON"),
        (b'{"hook":"a",' + CONTEXT + b',"prefetch":{"laboratory":{"value":NaN}}}', "the body is not JSON"),
        (b'{"hook":"a",' + CONTEXT + b',"prefetch":{"laboratory":Infinity}}', "the body is not JSON"),
        (b'{"hook":"a\xff",' + CONTEXT + b"}", "the body is not UTF-8"),
        (b"{" + CONTEXT + b"}", "hook is missing"),
        (b'{"hook":1,' + CONTEXT + b"}", "hook is not a string"),
        (b'{"hook":"a"}', "context is missing"),
        (b'{"hook":"a","context":[]}', "context is not a JSON object"),
        (b'{"hook":"a","context":{}}', "context.patientId is missing"),
        (b'{"hook":"a","context":{"patientId":null}}', "context.patientId is missing"),
        (b'{"hook":"a","context":{"patientId":17}}', "context.patientId is not a string"),
        (b'{"hook":"a","context":{"patientId":"1","userId":{}}}', "context.userId is not a string"),
        (b'{"hook":"a",' + CONTEXT + b',"fhirServer":[]}', "fhirServer is not a string"),
        (b'{"hook":"a",' + CONTEXT + b',"prefetch":[]}', "prefetch is not a JSON object"),
        (b'{"hook":"a",' + CONTEXT + b',"fhirAuthorization":{}}', "fhirAuthorization.access_token is missing"),
        (b'{"hook":"a",' + CONTEXT + b',"fhirAuthorization":' + LEAVE + b"}", "fhirServer is missing"),
        (b'{"hook":"a",' + CONTEXT + b',"fhirAuthorization":{"access_token":"a\\r\\nb"}}', "cannot stand in a header"),
        (b"[" * 1_000_000, "the body is not a JSON object"),
        (b'{"a":' * 1_000_000, "the body is not JSON"),
        (b'{"hook":' + b"[" * 1_000_000, "the body is not JSON"),
        (b'{"hook":"a",' + CONTEXT + b',"' + b'\\"' * 4_000_000 + b'":1,"hook":1}', "a member twice"),
        (b'{"hook":"a",' + b",".join(b'"%d":1' % i for i in range(2_000)) + b"}", "more than 1000 members"),
    ],
)
def test_what_is_not_as_the_specification_defines_it_is_refused(body: bytes, expected: str) -> None:
    """The member at fault is named in under a second, and nothing of the body is repeated."""
    error = refusal(body)
    assert isinstance(error, MalformedError)
    assert expected in str(error)


@pytest.mark.parametrize("entry", [b"{}", b"1", b'{"resource":{"resourceType":"Observation","id":"1"}}'])
def test_more_entries_than_the_limit_are_refused(entry: bytes) -> None:
    """Entries are counted over all keys, whatever they hold; as many as the limit are read."""

    def body(number: int) -> bytes:
        half = b'{"resourceType":"Bundle","entry":[' + b",".join([entry] * (number // 2)) + b"]}"
        return b'{"hook":"a",' + CONTEXT + b',"prefetch":{"laboratory":' + half + b',"other":' + half + b"}}"

    assert isinstance(refusal(body(202), limit=200), TooManyEntriesError)
    assert isinstance(refusal(body(200_000), limit=200), TooManyEntriesError)
    assert read(body(200), limit=200).prefetch.keys() == {"laboratory"}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"token_type": None}, "token_type is missing"),
        ({"token_type": "mac"}, "token_type must be Bearer"),
        ({"expires_in": None}, "expires_in is missing"),
        ({"expires_in": "300"}, "expires_in is not a whole number"),
        ({"expires_in": 0}, "expires_in says that the token has expired"),
        ({"expires_in": -1}, "expires_in says that the token has expired"),
        ({"scope": None}, "scope is missing"),
        ({"subject": None}, "subject is missing"),
        ({"subject": 1}, "subject is not a string"),
        ({"patient": 1}, "patient is not a string"),
    ],
)
def test_an_authorisation_is_whole(members: dict[str, object], expected: str) -> None:
    """Every member that the specification requires is there, and of its type; the token lives."""
    call = hook_call(fhirServer="https://a", fhirAuthorization=leave("s3cret", **members))
    told = str(refusal(call))
    assert told == f"fhirAuthorization.{expected}"


def test_the_kind_of_token_is_read_whatever_its_case() -> None:
    """RFC 6749, 7.1: token types are compared without regard to case."""
    given = leave(token_type="bearer")  # noqa: S106 - a kind
    assert read(hook_call(fhirServer="https://a", fhirAuthorization=given)).fhirAuthorization


def test_the_token_is_not_shown() -> None:
    """No text of a call holds its token."""
    call = hook_call(fhirServer="https://a", fhirAuthorization=leave("s3cret"))
    assert "s3cret" not in repr(read(call))
