"""What fhir.resources says of a resource: R4B models, equal to R4 in the resources that are read (it has no R4).

A second opinion on the shape, for `mapping explain --strict`; the readers never depend on it.
"""

from collections.abc import Iterator

import msgspec
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

_MOST = 20  # one broken list can object to each of its elements


class Objection(msgspec.Struct, frozen=True, gc=False):
    """`path` names the element, `text` what is wrong with it; neither holds a value of the record."""

    path: str
    text: str


class _Peek(msgspec.Struct):
    resourceType: str = ""  # noqa: N815
    id: str = ""


class _RawEntry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()


class _RawBundle(msgspec.Struct):
    entry: list[_RawEntry] = []


def resources_in(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Address and JSON of each resource of a Bundle, or of the one resource that the body is."""
    try:
        is_bundle = msgspec.json.decode(body, type=_Peek).resourceType == "Bundle"
        raw = [bytes(e.resource) for e in msgspec.json.decode(body, type=_RawBundle).entry] if is_bundle else [body]
    except (msgspec.MsgspecError, RecursionError):
        raw = [body]
    for resource in raw:
        if resource:
            yield _address(resource), resource


def _address(resource: bytes) -> str:
    try:
        peek = msgspec.json.decode(resource, type=_Peek)
    except (msgspec.MsgspecError, RecursionError):
        return "?/?"
    return f"{peek.resourceType or '?'}/{peek.id or '?'}"


def objections(resource: bytes) -> tuple[Objection, ...]:
    """What is wrong with the JSON of one resource; empty where fhir.resources takes it."""
    try:
        kind = msgspec.json.decode(resource, type=_Peek).resourceType
        model = get_fhir_model_class(kind)
    except (msgspec.MsgspecError, RecursionError):
        return (Objection("", "not a JSON object with a resourceType"),)
    except (ValueError, KeyError):
        return (Objection("resourceType", "no resource of FHIR R4B"),)
    try:
        model.model_validate_json(resource)
    except ValidationError as error:
        return tuple(_told(error))[:_MOST]
    return ()


def _told(error: ValidationError) -> Iterator[Objection]:
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        path = ".".join(str(step) for step in one["loc"])
        # a message that was written by hand may quote the value; the others are pydantic's own and do not
        text = "is not valid here" if one["type"] in {"value_error", "assertion_error"} else one["msg"]
        yield Objection(path, text)
