"""The body of POST /emergency/assessments -> EmergencyRequest, its Bundle decoded as everything that is read is."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fhir_mappings.decoding import Decoded, NotReadableError, decode
from fhir_mappings.versions import DEFAULT, Version
from service.cds_hooks.envelope import read_object
from service.errors import MalformedError

# ruff: noqa: N815

SHORTEST_MS, LONGEST_MS = 50, 60_000
# dots alone would be another level of the address
Id = Annotated[str, Field(strict=True, max_length=64, pattern=r"^[\-.]*[A-Za-z0-9][A-Za-z0-9\-.]*$")]

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class EmergencyRequest(BaseModel):
    """Whom to assess and what is at hand: `patientId`, `bundle`, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    patientId: Id | None = Field(
        default=None, description="id of the Patient on the FHIR server; without it `bundle` must hold exactly one"
    )
    encounterId: Id | None = Field(
        default=None, description="id of the Encounter of this arrival; it is read too, or looked for in the Bundle"
    )
    fhirServer: Annotated[str, Field(strict=True, min_length=1, max_length=2_000)] | None = Field(
        default=None,
        description="base address of the FHIR server that the patient is on, one of the site's list; needed with"
        " `patientId` where the list has several",
    )
    bundle: dict[str, Any] | None = Field(
        default=None,
        description="FHIR Bundle (R4, R4B or R5, of any type) with what is at hand; all of it must be this patient's",
    )
    deadlineMs: Annotated[int, Field(strict=True, ge=SHORTEST_MS, le=LONGEST_MS)] | None = Field(
        default=None,
        description="milliseconds from the arrival of the request to the last answer; else limits.emergency_seconds",
    )


class Asked(msgspec.Struct, frozen=True):
    """A request that was understood. `repr` hides whom it is about."""

    patient_id: str = ""
    encounter_id: str = ""
    server: str = ""
    bundle: Decoded | None = None
    deadline_ms: int | None = None

    def __repr__(self) -> str:
        return "Asked(***)"


def read_asked(body: bytes, entries_limit: int, version_of: Callable[[str], Version] = lambda _: DEFAULT) -> Asked:
    """What a body asks for; a member that is null counts as not there.

    Raises MalformedError, which names members and holds no value, and TooManyEntriesError.
    """
    members = read_object(body, entries_limit, "bundle")
    bundle = members.pop("bundle", None)
    asked = _validated({name: _plain(name, value) for name, value in members.items()})
    if asked.patientId is None and bundle is None:
        raise MalformedError("patientId or bundle is needed")
    server = asked.fhirServer or ""
    return Asked(
        patient_id=asked.patientId or "",
        encounter_id=asked.encounterId or "",
        server=server,
        bundle=None if bundle is None else _decoded(bundle, version_of(server)),
        deadline_ms=asked.deadlineMs,
    )


def _plain(name: str, value: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(value)
    except _UNREADABLE as error:
        known = name if name in EmergencyRequest.model_fields else "a member"
        raise MalformedError(f"{known} is not JSON that can be followed") from error


def _validated(members: dict[str, object]) -> EmergencyRequest:
    try:
        return EmergencyRequest.model_validate(members)
    except ValidationError as error:
        raise MalformedError(_told(error)) from None


def _told(error: ValidationError) -> str:
    """The first fault by its member; a member that is not ours may have any name, and is not repeated."""
    detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if detail["type"] == "extra_forbidden":
        return f"a member that is not known; there are {', '.join(EmergencyRequest.model_fields)}"
    if detail["type"] == "string_pattern_mismatch":
        return f"{detail['loc'][0]}: must be an id alone, of letters, digits, - and ., without a type or an address"
    return f"{detail['loc'][0]}: {detail['msg']}"


def _decoded(bundle: msgspec.Raw, version: Version) -> Decoded:
    """In the version that its resources have the shape of: it need not come from the server that is stated."""
    try:
        found = decode(bundle, version)
        if found.is_of_other_version:
            other = decode(bundle, "R4" if version == "R5" else "R5")
            return found if other.is_of_other_version else other
    except NotReadableError as error:
        raise MalformedError("bundle is no FHIR Bundle that can be read") from error
    return found
