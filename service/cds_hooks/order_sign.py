"""order-sign: a card where the orders are a systemic therapy of cancer, or may be one; else none.

Orders of another patient are as grave as any other resource of another patient.
"""

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import Decoded
from fhir_mappings.readers.draft_orders import orders_no_cancer_therapy
from fhir_mappings.record import Entry, OwnResources, PatientRecord, entries_of
from fhir_mappings.resources.r4 import Patient
from service.cds_hooks.wire import HookRequest
from service.fhir.gather import bases_of

NO_CANCER_THERAPY = "no-systemic-therapy"


def reason_for_no_card(call: HookRequest) -> str:
    """Why a call is answered without a card, before anything is read for it; empty where it is answered with one.

    What came with the call is looked at all the same: data of another patient are told.
    """
    orders = call.context.draftOrders
    if orders is None:
        return ""
    sent = [decoded for decoded in call.prefetch.values() if decoded is not None]
    entries = tuple(entry for one in (orders, *sent) for entry in _entries(one))
    unread = tuple(about for one in (orders, *sent) for about in one.unread)
    own = OwnResources(PatientRecord(call.context.patientId, entries, bases_of(call.fhirServer), unread=unread))
    if own.foreign or not orders_no_cancer_therapy(orders, own, catalogue()):
        return ""
    return NO_CANCER_THERAPY


def with_foreign_orders(record: PatientRecord, orders: Decoded | None) -> PatientRecord:
    """The record; with the draft orders where one names another patient, so that it is not scored.

    Else they stay out: what is not signed yet is no part of the picture. The record's Patient tells its identifiers.
    """
    if orders is None:
        return record
    drafts = _entries(orders)
    patient = tuple(entry for entry in record.entries if isinstance(entry.resource, Patient))
    own = OwnResources(PatientRecord(record.patient_id, (*patient, *drafts), record.bases, unread=orders.unread))
    if not own.foreign:
        return record
    unread = (*record.unread, *orders.unread)
    return msgspec.structs.replace(record, entries=(*record.entries, *drafts), unread=unread)


def _entries(sent: Decoded) -> tuple[Entry, ...]:
    """Both prefetch and draft orders are scoped: what names nobody is the patient's."""
    return entries_of(sent.entries, scoped=True)
