"""Records that a site does not have assessed: security labels, and what it calls an objection.

Labels stand in `meta.security` of the resource that they protect (FHIR R4, Security Labels), objections in the
Patient's labels and tags, in flags and in consents. Where flags or consents are asked for, a patient is assessed only
once all of them were read: an objection that did not arrive is one.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.decoding import UNREAD_CODES
from fhir_mappings.objections import denied, flagged
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.datatypes import Coding
from fhir_mappings.resources.objections import Consent, Flag
from fhir_mappings.resources.r4 import Objection, Patient
from fhir_mappings.retrieval import Query
from service.gaps import is_stale
from service.quiet_settings import RestrictedRecords
from service.site_queries import objection_queries

# v3-Confidentiality in R4 and R5, in STU3, and by its OID (hl7.org/fhir/STU3/v3/Confidentiality)
CONFIDENTIALITY = (
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
)
Barred = Literal["restricted", "objection-unknown"]
_WHOLE = frozenset({"complete", "empty"})
_KINDS: dict[str, type[Flag | Consent]] = {Flag.__name__: Flag, Consent.__name__: Consent}


def barred(record: PatientRecord, rules: RestrictedRecords, *moments: datetime) -> Barred | None:
    """Why the record is not assessed; None where it is. `objection-unknown`: it is not known whether it may be.

    What objects at one of the `moments` does: that of the assessment, and the one at which it is made.
    """
    if _is_labelled(record, rules):
        return "restricted"
    asked = objection_queries(rules)
    if not asked:
        return None
    own = OwnResources(_of_objections(record))
    for at in moments:
        said = {code for flag in own.of(Flag) for code in flagged(flag, at)}.intersection(rules.flags)
        said |= {code for consent in own.of(Consent) for code in denied(consent, at)}.intersection(rules.consents)
        if said:
            return "restricted"
    return None if all(_is_read(query, record, own) for query in asked) else "objection-unknown"


def _of_objections(record: PatientRecord) -> PatientRecord:
    """The flags and consents, and whose they must be."""
    entries = tuple(entry for entry in record.entries if isinstance(entry.resource, Patient | Objection))
    return msgspec.structs.replace(record, entries=entries, unread=())


def _is_read(query: Query, record: PatientRecord, own: OwnResources) -> bool:
    """Whether all of it was answered, not long ago, and every resource of its type could be read."""
    lines = [line for line in record.retrieval if line.key == query.key]
    is_whole = bool(lines) and all(line.state in _WHOLE and not is_stale(line) for line in lines)
    unread = any(i.code in UNREAD_CODES and i.source.partition("/")[0] == query.type for i in record.issues)
    return is_whole and not unread and not own.lacks(_KINDS[query.type])


def _is_labelled(record: PatientRecord, rules: RestrictedRecords) -> bool:
    """Whether a resource of the record bears one of the labels, or the Patient one of the objections."""
    marked = [r for entry in record.entries if (meta := (r := entry.resource).meta).security or meta.tag]
    if not marked:
        return False  # as nearly always
    labels = {label if "|" in label else f"{system}|{label}" for label in rules.labels for system in CONFIDENTIALITY}
    return any(
        not labels.isdisjoint(_tokens(r.meta.security))
        or (isinstance(r, Patient) and not _tokens((*r.meta.security, *r.meta.tag)).isdisjoint(rules.objections))
        for r in marked
    )


def _tokens(codings: Iterable[Coding]) -> frozenset[str]:
    return frozenset(f"{coding.system}|{coding.code}" for coding in codings)
