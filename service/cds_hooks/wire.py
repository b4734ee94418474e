"""The protocol's objects (CDS Hooks 2.0). Names of members are the protocol's own.

What we write never holds null or an empty value (section Use of JSON): a member that was not given is left out.
"""

from typing import Any, Literal

import msgspec

from fhir_mappings.decoding import Decoded
from fhir_mappings.finding import Issue

# ruff: noqa: N815

Hook = Literal["patient-view", "encounter-start", "encounter-discharge", "order-sign"]


class Context(msgspec.Struct, frozen=True):
    """What the hooks that we answer say of the chart; all but the patient may be missing.

    `patientId` is the bare id, however the client wrote it. `draftOrders` are order-sign's, None where there are none
    that can be read.
    """

    patientId: str
    userId: str = ""
    encounterId: str = ""
    draftOrders: Decoded | None = None


class FhirAuthorization(msgspec.Struct, frozen=True):
    """Leave to read as the user, for this call only. `repr` hides the token: it must not reach a log.

    `subject` is the id under which the token was issued to this service, `patient` whose chart it opens, where it says.
    """

    access_token: str
    subject: str = ""
    scope: str = ""
    patient: str = ""

    def __repr__(self) -> str:
        return "FhirAuthorization(***)"


class HookRequest(msgspec.Struct, frozen=True):
    """One hook call. In `prefetch` a key maps to what was decoded, or to None where the client says "no data" (null).

    A key whose value is no FHIR resource is not in it; `issues` says so.
    """

    hook: str
    context: Context
    hookInstance: str = ""
    fhirServer: str = ""
    fhirAuthorization: FhirAuthorization | None = None
    prefetch: dict[str, Decoded | None] = {}
    issues: tuple[Issue, ...] = ()


class Coding(msgspec.Struct, frozen=True, omit_defaults=True):
    code: str
    system: str = ""
    display: str = ""


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    label: str
    url: str = ""
    icon: str = ""
    topic: Coding | None = None


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    label: str
    url: str
    type: Literal["absolute", "smart"]
    appContext: str = ""


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """One card. `summary` has fewer than 140 characters; `detail` is GitHub-flavoured Markdown."""

    summary: str
    indicator: Literal["info", "warning", "critical"]
    source: Source
    uuid: str = ""
    detail: str = ""
    links: tuple[Link, ...] = ()
    overrideReasons: tuple[Coding, ...] = ()
    extension: dict[str, Any] | None = None  # any JSON, under reverse-domain keys
    selectionBehavior: Literal["", "any"] = ""


class CardResponse(msgspec.Struct, frozen=True):
    cards: tuple[Card, ...]


class ServiceDescription(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of discovery. `prefetch` maps each key to its query template."""

    id: str
    hook: Hook
    title: str
    description: str
    prefetch: dict[str, str]
    usageRequirements: str = ""
    version: str = ""  # of CDS Hooks; this and the next since CDS Hooks 3.0
    hookVersion: str = ""


class Discovery(msgspec.Struct, frozen=True):
    services: tuple[ServiceDescription, ...]
