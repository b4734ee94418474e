"""Records that a site does not have assessed: security labels and objections, as far as resources bear them.

Labels stand in `meta.security` of the resource that they protect (FHIR R4, Security Labels). Consent and Flag are not
read: what a site keeps there counts once its server writes it on the Patient as a label or a tag.
"""

from collections.abc import Iterable

from fhir_mappings.record import PatientRecord
from fhir_mappings.resources.datatypes import Coding
from fhir_mappings.resources.r4 import Patient
from service.quiet_settings import RestrictedRecords

# v3-Confidentiality in R4 and R5, in STU3, and by its OID (hl7.org/fhir/STU3/v3/Confidentiality)
CONFIDENTIALITY = (
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
)


def is_restricted(record: PatientRecord, rules: RestrictedRecords) -> bool:
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
