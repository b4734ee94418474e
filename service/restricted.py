"""Records that a site does not have assessed: security labels and objections, as far as resources bear them.

Labels stand in `meta.security` of the resource that they protect (FHIR R4, Security Labels). Consent and Flag are not
read: what a site keeps there counts once its server writes it on the Patient as a label or a tag.
"""

from collections.abc import Iterable

from fhir_mappings.record import PatientRecord
from fhir_mappings.resources.datatypes import Coding
from fhir_mappings.resources.r4 import Patient
from service.settings import RestrictedRecords

# v3-Confidentiality in R4 and R5, in STU3, and by its OID (hl7.org/fhir/STU3/v3/Confidentiality)
CONFIDENTIALITY = (
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
)


def is_restricted(record: PatientRecord, rules: RestrictedRecords) -> bool:
    """Whether a resource of the record bears one of the labels, or the Patient one of the objections."""
    labels = {label if "|" in label else f"{system}|{label}" for label in rules.labels for system in CONFIDENTIALITY}
    objections = frozenset(rules.objections)
    for entry in record.entries:
        meta = entry.resource.meta
        if meta.security and not labels.isdisjoint(_tokens(meta.security)):
            return True
        if isinstance(entry.resource, Patient) and not objections.isdisjoint(_tokens((*meta.security, *meta.tag))):
            return True
    return False


def _tokens(codings: Iterable[Coding]) -> Iterable[str]:
    return (f"{coding.system}|{coding.code}" for coding in codings)
