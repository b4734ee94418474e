"""Orders that a clinician is about to sign -> whether it is sure that none of them is a systemic therapy of cancer."""

from fhir_mappings.concepts import Catalogue
from fhir_mappings.decoding import UNREAD_CODES, Decoded
from fhir_mappings.readers.drugs import drug_of, is_local, product_of
from fhir_mappings.readers.treatment import SYSTEMIC
from fhir_mappings.record import OwnResources
from fhir_mappings.resources.therapies import MedicationRequest

# Beside what counts as a regimen: a somatostatin analogue has other uses too, but an order does not say for which.
_CANCER_THERAPY = SYSTEMIC | {"tx_radioligand", "tx_somatostatin"}


def orders_no_cancer_therapy(orders: Decoded, own: OwnResources, source: Catalogue) -> bool:
    """Whether every drug ordered is known, and none is a systemic therapy of cancer.

    `own` finds the products that orders refer to. What cannot be told (an unknown code, an order that cannot be read, a
    further page) could be one. Orders of anything but drugs say nothing.
    """
    if orders.next or any(issue.code in UNREAD_CODES for issue in orders.issues):
        return False
    drafts = [entry.resource for entry in orders.entries]
    return None not in drafts and all(
        _is_none(one, own, source) for one in drafts if isinstance(one, MedicationRequest)
    )


def _is_none(order: MedicationRequest, own: OwnResources, source: Catalogue) -> bool:
    if order.modifierExtension or order.implicitRules:
        return False
    if order.doNotPerform or is_local(order.dosageInstruction):
        return True
    drug = drug_of(order, own, source)
    # of a product with several substances one known substance does not tell the others
    is_told = drug.identified or (bool(drug.known) and not product_of(order))
    return is_told and not drug.keys & _CANCER_THERAPY
