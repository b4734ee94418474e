"""Whom an emergency call is about, what came with it, and where the rest is read."""

from collections.abc import Iterable, Mapping

import msgspec

from fhir_mappings.decoding import UNREAD_CODES, Decoded
from fhir_mappings.record import Entry, PatientRecord, Retrieval, entries_of
from fhir_mappings.resources.r4 import Condition, Encounter, Patient
from fhir_mappings.retrieval import Query
from service.emergency.request import Asked
from service.errors import MalformedError, ServerNotListedError, UnobtainableError
from service.fhir.client import FhirServers
from service.fhir.gather import PatientCall, bases_of
from service.fhir.origin import Base
from service.site_queries import CONSENTS, FLAGS

ENCOUNTER = "encounter"  # the ledger's name for the one that the call names
# What an emergency turns on comes first; the other queries follow in their own order.
_FIRST = (
    "patient", "conditions", FLAGS.key, CONSENTS.key, "function", "laboratory", "siteCodes", "encounters", ENCOUNTER,
    "tumour",
)  # fmt: skip


class EmergencyCall(msgspec.Struct, frozen=True):
    """`at_hand` is what came with the call; `reading` is None where nothing is read."""

    patient_id: str
    encounter_id: str = ""
    at_hand: PatientRecord | None = None
    reading: PatientCall | None = None

    def __repr__(self) -> str:
        return "EmergencyCall(***)"

    def queries(self, queries: Iterable[Query]) -> tuple[Query, ...]:
        """What is searched for: the site's queries, vital and bedside values first, and the encounter."""
        own = [Query(ENCOUNTER, Encounter.__name__, f"Encounter/{self.encounter_id}")] if self.encounter_id else []
        place = {key: number for number, key in enumerate(_FIRST)}
        return tuple(sorted([*queries, *own], key=lambda query: place.get(query.key, len(_FIRST))))


def call_of(
    asked: Asked,
    servers: FhirServers,
    queries: Iterable[Query],
    issuer: str = "",
    public_names: Mapping[Base, Base] | None = None,
) -> EmergencyCall:
    """The call that was asked for, by the client that `issuer` names: what is kept for one does not serve another.

    `public_names`: how servers name themselves in what they send, where that is not their address.

    With `patientId` the Bundle is what is at hand and the rest is read. Without it the Bundle is all there is: whether
    its Patient has the same id on a server of the site is not known. Raises MalformedError (not exactly one Patient, or
    which server is not said), ServerNotListedError and UnobtainableError (something must be read, and cannot be).
    """
    if not asked.patient_id:
        patient_id = _only_patient(asked.bundle or Decoded())
        return EmergencyCall(patient_id, asked.encounter_id, _at_hand(asked, patient_id, _names(asked.server)))
    server = asked.server or _only_server(servers)
    names = _names(server, public_names)
    at_hand = _at_hand(asked, asked.patient_id, names) if asked.bundle else None
    call = PatientCall(asked.patient_id, server, issuer=issuer)
    if servers.stated(server) is not None:
        waiting = [Retrieval(query.key, "search", "failed", reason="has not arrived yet") for query in queries]
        return EmergencyCall(asked.patient_id, asked.encounter_id, _with(at_hand, waiting), call)
    if at_hand is None or not _has_indispensable(at_hand):
        if server:
            raise ServerNotListedError("Patient and Condition are not both in bundle")
        raise UnobtainableError("this site has no FHIR server, and Patient and Condition are not both in bundle")
    why = "not sent, and the stated FHIR server is not listed" if server else "not sent, and no FHIR server is listed"
    not_asked = [Retrieval(query.key, "search", "notAsked", reason=why) for query in queries]
    return EmergencyCall(asked.patient_id, asked.encounter_id, _with(at_hand, not_asked))


def together(at_hand: PatientRecord | None, read: PatientRecord, encounter_id: str) -> PatientRecord:
    """One record of what came with the call and what was read."""
    if encounter_id:
        read = msgspec.structs.replace(read, entries=tuple(_unscoped(entry, encounter_id) for entry in read.entries))
    if at_hand is None:
        return read
    return PatientRecord(
        read.patient_id,
        (*_not_outdone(at_hand.entries, read.entries), *read.entries),
        tuple(dict.fromkeys((*at_hand.bases, *read.bases))),
        (*(line for line in at_hand.retrieval if line.via == "bundle"), *read.retrieval),
        (*at_hand.issues, *read.issues),
        (*at_hand.unread, *read.unread),
    )


def _not_outdone(at_hand: Iterable[Entry], read: Iterable[Entry]) -> list[Entry]:
    """What is at hand, without copies of what was read, unless both say when they were updated: the newer then stands.

    A department's own copy often does not. Neither can then be told to be newer, and the server's is the record.
    """
    updated = {entry.resource.address: bool(entry.resource.meta.lastUpdated) for entry in read if entry.resource.id}
    return [
        entry
        for entry in at_hand
        if updated.get(entry.resource.address, True)
        and (entry.resource.address not in updated or entry.resource.meta.lastUpdated)
    ]


def holds_encounter(record: PatientRecord, encounter_id: str) -> bool:
    return any(isinstance(e.resource, Encounter) and e.resource.id == encounter_id for e in record.entries)


def _unscoped(entry: Entry, encounter_id: str) -> Entry:
    """An Encounter that is asked for by its id alone is nobody's unless it names its patient."""
    is_it = isinstance(entry.resource, Encounter) and entry.resource.id == encounter_id
    return Entry(entry.resource, entry.full_url, scoped=False) if is_it else entry


def _only_patient(bundle: Decoded) -> str:
    """Its id. The same id on two servers is two Patients."""
    found = {
        (entry.resource.id, entry.fullUrl.startswith("http") and entry.fullUrl)
        for entry in bundle.entries
        if isinstance(entry.resource, Patient)
    }
    if len(found) != 1:
        raise MalformedError(f"bundle holds {len(found)} Patients: without patientId it must hold exactly one")
    ((patient_id, _),) = found
    if not patient_id:
        raise MalformedError("the Patient in bundle has no id")
    return patient_id


def _only_server(servers: FhirServers) -> str:
    listed = [client.base.url for client in servers]
    if len(listed) > 1:
        raise MalformedError("fhirServer is missing: this site has several FHIR servers")
    return listed[0] if listed else ""


def _names(server: str, public_names: Mapping[Base, Base] | None = None) -> tuple[str, ...]:
    """The addresses under which the resources of a server speak of it."""
    bases = bases_of(server)
    public = public_names.get(Base.parse(server)) if bases and public_names else None
    return (*bases, public.url) if public else bases


def _at_hand(asked: Asked, patient_id: str, bases: tuple[str, ...]) -> PatientRecord:
    bundle = asked.bundle or Decoded()
    entries = entries_of(bundle.entries, scoped=False)
    if not asked.patient_id:
        bases = (*bases, *_stated_bases(entries, patient_id))
    ledger = Retrieval(
        key="bundle",
        via="bundle",
        state="partial" if bundle.next or any(i.code in UNREAD_CODES for i in bundle.issues) else "complete",
        count=len(entries),
        reason="its further pages were not sent" if bundle.next else "",
    )
    return PatientRecord(patient_id, entries, bases, (ledger,), bundle.issues, bundle.unread)


def _stated_bases(entries: Iterable[Entry], patient_id: str) -> list[str]:
    """The server whose patient this is, as the full address of its Patient entry states it, else those of the others.

    There is one: what comes from a second one is somebody else's.
    """
    urls = [(f"/{entry.resource.address}", entry.full_url) for entry in entries if entry.full_url.startswith("http")]
    bases = sorted({url.removesuffix(tail) for tail, url in urls if url.endswith(tail)})
    own = [url.removesuffix(tail) for tail, url in urls if tail == f"/Patient/{patient_id}" and url.endswith(tail)]
    return (own or bases)[:1]


def _has_indispensable(record: PatientRecord) -> bool:
    kinds = {type(entry.resource) for entry in record.entries}
    return {Patient, Condition} <= kinds


def _with(record: PatientRecord | None, lines: Iterable[Retrieval]) -> PatientRecord | None:
    return record and msgspec.structs.replace(record, retrieval=(*record.retrieval, *lines))
