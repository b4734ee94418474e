"""Who reads a card: role and speciality, by `userId`, else by what the site says of the client.

A PractitionerRole is read once, from the call's own FHIR server with the call's own token, beside the record. It is
never waited for long, and whatever is not known of a reader speaks for showing the card.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from time import monotonic

import msgspec

from fhir_mappings.resources.datatypes import CodeableConcept
from service.cds_hooks.quiet import Reader
from service.cds_hooks.wire import HookRequest
from service.ehr_settings import EhrClient
from service.errors import FhirError
from service.fhir.client import FhirClient, FhirServers

_PATIENCE = 0.2  # seconds
_KNOWN_SECONDS = 3_600.0
_AGAIN_SECONDS = 60.0  # after a failure
_MANY = 10_000
_USER = re.compile(r"(?:(?P<base>.+)/)?(?P<address>PractitionerRole/(?P<id>[A-Za-z0-9\-.]{1,64}))(?:/_history/.+)?")
_NOBODY = Reader()


class _PractitionerRole(msgspec.Struct, frozen=True, tag_field="resourceType", tag="PractitionerRole"):
    id: str = ""
    code: tuple[CodeableConcept, ...] = ()
    specialty: tuple[CodeableConcept, ...] = ()


class _Known(msgspec.Struct, frozen=True):
    reader: Reader | None
    until: float


_role = msgspec.json.Decoder(_PractitionerRole)


class Readers:
    """Readers by user. Roles are no patient's data; they are kept in this process for an hour."""

    def __init__(self, servers: FhirServers, clients: Iterable[EhrClient]) -> None:
        self._servers = servers
        self._clients: Mapping[str, Reader] = {
            client.issuer: Reader(
                frozenset({client.role} if client.role else ()),
                frozenset({client.speciality} if client.speciality else ()),
            )
            for client in clients
        }
        self._known: dict[tuple[str, str], _Known] = {}

    async def reader(self, call: HookRequest, issuer: str) -> Reader:
        """Who reads, as far as it can be told within a fifth of a second. Raises nothing."""
        read = await self._by_role(call) or _NOBODY
        stated = self._clients.get(issuer, _NOBODY)
        return Reader(read.roles or stated.roles, read.specialities or stated.specialities)

    async def _by_role(self, call: HookRequest) -> Reader | None:
        user, server = _USER.fullmatch(call.context.userId), self._servers.stated(call.fhirServer)
        if user is None or server is None or (user["base"] and self._servers.stated(user["base"]) is not server):
            return None
        name = server.base.url, user["id"]
        known = self._known.get(name)
        if known is None or known.until <= monotonic():
            known = await _read(server, user["address"], user["id"], call)
            self._known.pop(name, None)
            self._known[name] = known
            if len(self._known) > _MANY:
                del self._known[next(iter(self._known))]
        return known.reader


async def _read(server: FhirClient, address: str, role_id: str, call: HookRequest) -> _Known:
    token = call.fhirAuthorization.access_token if call.fhirAuthorization else ""
    try:
        async with asyncio.timeout(_PATIENCE):
            role = _role.decode((await server.read(address, token)).body)
    except (FhirError, TimeoutError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Known(None, monotonic() + _AGAIN_SECONDS)
    reader = Reader(_tokens(role.code), _tokens(role.specialty)) if role.id == role_id else None
    return _Known(reader, monotonic() + _KNOWN_SECONDS)


def _tokens(concepts: Iterable[CodeableConcept]) -> frozenset[str]:
    return frozenset(
        f"{coding.system}|{coding.code}" for concept in concepts for coding in concept.coding if coding.code
    )
