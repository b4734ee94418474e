"""PatientRecord: one patient's resources, what was asked for, and the guard against another patient's data."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from operator import attrgetter
from typing import Literal, TypeVar

import msgspec

from fhir_mappings.contained import contained_observations, dated_by_specimen
from fhir_mappings.copies import newest
from fhir_mappings.decoding import Unread
from fhir_mappings.finding import Issue
from fhir_mappings.resources.datatypes import Identifier, Reference
from fhir_mappings.resources.objections import Consent
from fhir_mappings.resources.r4 import (
    AnyResource,
    BundleEntry,
    Clinical,
    Encounter,
    ImagingStudy,
    MolecularSequence,
    Objection,
    Observation,
    OperationOutcome,
    Patient,
)
from fhir_mappings.resources.therapies import Medication

Via = Literal["prefetch", "search", "cache", "bundle"]
State = Literal["complete", "empty", "partial", "failed", "notAsked"]
Owner = Literal["own", "nobody", "foreign"]

FOREIGN_PATIENT = "foreign-patient"
_NOT_TAKEN = frozenset({"version-unclear", "rules-unknown", "modifier-unknown"})

_ID = r"[A-Za-z0-9\-.]{1,64}"
_ADDRESS = re.compile(rf"(?:(.*)/)?([A-Z][A-Za-z]+/{_ID})(?:/_history/{_ID})?")
_ID_OF = attrgetter("id")
_R = TypeVar("_R", bound=Clinical)
_Copies = dict[tuple[type, object], list[Clinical]]  # by type and id
Resolve = Callable[[str], str]  # a reference as written -> the relative address of what it names


class Retrieval(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of one query: how it was answered, how completely, and when."""

    key: str
    via: Via
    state: State
    count: int = 0
    asOf: str = ""  # noqa: N815
    reason: str = ""


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A resource with its full address (for `urn:uuid:` references) and whether the query was scoped to the patient."""

    resource: AnyResource
    full_url: str = ""
    scoped: bool = False


class PatientRecord(msgspec.Struct, frozen=True):
    """One patient's resources as they came, with the ledger of queries.

    `bases` are the FHIR base URLs whose `Patient/{patient_id}` is this patient; a reference to any other server, even
    with the same id, is another patient. `unread` are resources that came and are of no use, but must be theirs too.
    """

    patient_id: str
    entries: tuple[Entry, ...] = ()
    bases: tuple[str, ...] = ()
    retrieval: tuple[Retrieval, ...] = ()
    issues: tuple[Issue, ...] = ()
    unread: tuple[Unread, ...] = ()


class OwnResources:
    """The resources of a record that are this patient's, each once, and an issue for each that is not.

    A resource that names nobody is taken only from a query that was scoped to the patient. The same resource in two
    answers counts once, in its newest version. Their order is that of their addresses, whatever the order of the
    record. What is made under rules that nobody knows, or changed by an unknown modifier, is not taken.
    """

    def __init__(self, record: PatientRecord) -> None:
        self.issues: list[Issue] = []
        self._by_type: defaultdict[type, dict[object, Clinical]] = defaultdict(dict)
        self._medications: dict[str, Medication] = {}
        self._bases = _bases(record)
        self._entries = record.entries
        guard = _SubjectGuard(record)
        copies: _Copies = {}  # of those that came more than once
        observations, address = self._by_type[Observation], f"Patient/{record.patient_id}"
        for entry in record.entries:
            resource = entry.resource
            is_here = entry.scoped or not entry.full_url
            if (
                is_here
                and isinstance(resource, Observation)
                and not resource.contained
                and resource.subject.reference == address
            ):
                first = observations.setdefault(resource.id or id(resource), resource)  # as nearly all are
                if first is not resource:
                    copies.setdefault((Observation, resource.id), [first]).append(resource)
            elif isinstance(resource, Medication):  # a product, nobody's
                self._medications[resource.address] = resource
            elif not isinstance(resource, OperationOutcome):
                self._take(resource, entry, guard, copies)
        self.issues += [issue for one in record.unread if (issue := guard.issue_of_unread(one))]
        for (of, key), versions in copies.items():
            self._settle(of, key, versions)
        self._leave_out_what_is_not_understood()

    def _take(self, whole: Clinical, entry: Entry, guard: "_SubjectGuard", copies: _Copies) -> None:
        is_elsewhere = guard.is_elsewhere(entry)
        for resource in self._with_contained(whole):
            issue = guard.issue(resource, scoped=entry.scoped, is_elsewhere=is_elsewhere)
            if issue is not None:
                self.issues.append(issue)
                continue
            kind, name = type(resource), resource.id or id(resource)
            first = self._by_type[kind].setdefault(name, resource)
            if first is not resource:
                copies.setdefault((kind, name), [first]).append(resource)

    def _with_contained(self, resource: Clinical) -> Iterable[Clinical]:
        if not isinstance(resource, Observation) or not resource.contained:
            return (resource,)
        parts, issues = contained_observations(resource)
        self.issues += issues
        return (dated_by_specimen(resource), *parts)

    def _settle(self, kind: type, name: object, versions: list[Clinical]) -> None:
        resource = newest(versions)
        if resource is not None:
            self._by_type[kind][name] = resource
            return
        del self._by_type[kind][name]
        text = "versions that differ, and none says that it is the newest"
        self.issues.append(Issue("warning", "version-unclear", text, versions[0].address))

    def _leave_out_what_is_not_understood(self) -> None:
        for kind, resources in self._by_type.items():
            judged = issubclass(kind, _JUDGED_HERE)
            suspect = [name for name, resource in resources.items() if judged or resource.implicitRules]
            said = {name: issue for name in suspect if (issue := _not_understood(resources[name]))}
            self.issues += said.values()
            for name in said:
                del resources[name]

    def of(self, kind: type[_R]) -> list[_R]:
        found: list[_R] = sorted(self._by_type[kind].values(), key=_ID_OF)  # type: ignore[arg-type]
        if found and not found[0].id:
            nameless = [resource for resource in found if not resource.id]
            found[: len(nameless)] = sorted(nameless, key=msgspec.json.encode)
        return found

    @cached_property
    def _names(self) -> dict[str, str]:
        """Full address of an entry -> relative address of its resource."""
        return {e.full_url: e.resource.address for e in self._entries if e.full_url and e.resource.id}

    def medication(self, reference: str) -> Medication | None:
        """The product that a reference names, None where it is not in the record."""
        return self._medications.get(self.address_of(reference))

    def address_of(self, reference: str) -> str:
        """The relative address of what a reference names: by an entry's full address, else without base and version.

        A reference to another server, or by an address that no entry has, is left as it is written.
        """
        if reference in self._names:
            return self._names[reference]
        match = _ADDRESS.fullmatch(reference)
        return match[2] if match and (match[1] or "").rstrip("/") in self._bases else reference

    def lacks(self, kind: type[Clinical]) -> bool:
        """Whether a resource of this type is the patient's and could not be taken, so that nothing is absent."""
        return any(i.code in _NOT_TAKEN and i.source.partition("/")[0] == kind.__name__ for i in self.issues)

    @property
    def foreign(self) -> bool:
        """Whether at least one resource names another patient."""
        return any(issue.code == FOREIGN_PATIENT for issue in self.issues)


class _SubjectGuard:
    """Decides whose a resource is. What cannot be shown to be this patient's is foreign."""

    def __init__(self, record: PatientRecord) -> None:
        self._address = f"Patient/{record.patient_id}"
        self._id = record.patient_id
        self._bases = _bases(record)
        self._entries = record.entries

    @cached_property
    def _patient(self) -> list[tuple[Patient, str]]:
        """The patient's own resource with its full address, as often as it came."""
        patients = [(e.resource, e.full_url) for e in self._entries if isinstance(e.resource, Patient)]
        return [(who, url) for who, url in patients if who.id == self._id]

    @cached_property
    def _addresses(self) -> set[str]:
        """`urn:uuid:...` inside a Bundle; a web address says itself which server and id it means."""
        return {url for _, url in self._patient if url.startswith("urn:")}

    @cached_property
    def _identifiers(self) -> set[Identifier]:
        return {identifier for who, _ in self._patient for identifier in who.identifier}

    def is_elsewhere(self, entry: Entry) -> bool:
        """Whether an entry's full address is on another server than the patient: relative references are that one's.

        FHIR R4, 2.36.4.1. Of answers to queries of ours, the server that was asked is the server.
        """
        if entry.scoped or not entry.full_url.startswith("http") or len(self._bases) == 1:
            return False
        match = _ADDRESS.fullmatch(entry.full_url)
        return match is None or (match[1] or "") not in self._bases

    def issue(self, resource: Clinical, *, scoped: bool, is_elsewhere: bool = False) -> Issue | None:
        owner = self._owner(resource, is_elsewhere=is_elsewhere)
        if owner == "own" or (owner == "nobody" and scoped):
            return None
        if owner == "foreign":
            return Issue("error", FOREIGN_PATIENT, "names another patient", resource.address)
        return Issue("warning", "no-subject", "names no patient", resource.address)

    def issue_of_unread(self, unread: Unread) -> Issue | None:
        is_other = self._names_other(unread.subject, is_elsewhere=False)
        return Issue("error", FOREIGN_PATIENT, "names another patient", unread.source) if is_other else None

    def _names_other(self, subject: Reference, *, is_elsewhere: bool) -> bool:
        """Of what may be about no person at all, or by an identifier of another kind: then it says nothing."""
        reference, named = subject.reference, subject.identifier
        if reference:
            match = _ADDRESS.fullmatch(reference)
            is_patient = match is not None and match[2].startswith("Patient/")
            return (is_patient and not self._is_own(reference, is_elsewhere=is_elsewhere)) or reference in self._others
        systems = {identifier.system for identifier in self._identifiers if identifier.system}
        return named is not None and named.system in systems and named not in self._identifiers

    @cached_property
    def _others(self) -> set[str]:
        """The full addresses of other patients inside the same Bundles."""
        found = ((entry.resource, entry.full_url) for entry in self._entries)
        return {url for who, url in found if isinstance(who, Patient) and who.id != self._id and url}

    def _owner(self, resource: Clinical, *, is_elsewhere: bool) -> Owner:
        if isinstance(resource, Patient):
            return "own" if resource.id == self._id and not is_elsewhere else "foreign"
        reference = resource.patient if isinstance(resource, MolecularSequence | Consent) else resource.subject
        if isinstance(resource, Objection):  # a flag may be about a ward, or a group
            if self._names_other(reference, is_elsewhere=is_elsewhere):
                return "foreign"
            is_own = self._is_own(reference.reference, is_elsewhere=is_elsewhere)
            # in doubt it is the patient's: one that names nobody, or nobody who can be found
            return "own" if is_own or "/" not in reference.reference else "nobody"
        if reference.reference:
            return "own" if self._is_own(reference.reference, is_elsewhere=is_elsewhere) else "foreign"
        named = reference.identifier
        if named is None or not (named.system and named.value):
            return "nobody"  # half an identifier is the same for many people
        return "own" if named in self._identifiers else "foreign"

    def _is_own(self, address: str, *, is_elsewhere: bool) -> bool:
        if address.startswith("urn:") and address in self._addresses:
            return True
        match = _ADDRESS.fullmatch(address)
        if match is None or match[2] != self._address:
            return False
        return (match[1] or "").rstrip("/") in self._bases if match[1] else not is_elsewhere


_JUDGED_HERE = (Patient, Encounter, MolecularSequence)  # the others judge their modifiers where they are read


def _not_understood(resource: Clinical) -> Issue | None:
    """Rules or a modifier that nobody knows.

    A study stays, so that the measurements that come from it are not taken either; and so does an objection.
    """
    if resource.implicitRules and not isinstance(resource, ImagingStudy | Objection):
        return Issue("warning", "rules-unknown", "implicitRules that may change the meaning", resource.address)
    if isinstance(resource, _JUDGED_HERE) and resource.modifierExtension:
        return Issue("warning", "modifier-unknown", "a modifierExtension that may change the meaning", resource.address)
    return None


def _bases(record: PatientRecord) -> frozenset[str]:
    """The servers whose addresses mean this record's; "" is a relative reference."""
    return frozenset({base.rstrip("/") for base in record.bases} | {""})


def entries_of(answer: tuple[BundleEntry, ...], *, scoped: bool) -> tuple[Entry, ...]:
    """The entries of a decoded answer as entries of a record."""
    return tuple(Entry(e.resource, e.fullUrl, scoped) for e in answer if e.resource is not None)
