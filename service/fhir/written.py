"""The FHIR resources that we write, built and validated by fhir.resources (R4B, equal to R4 in these)."""

from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.coding import Coding
from fhir.resources.R4B.operationoutcome import OperationOutcome, OperationOutcomeIssue

from service.errors import TABLE, Category

MEDIA_TYPE = "application/fhir+json"
ERRORS = "urn:oncohooks:error"  # code system of docs/errors.md


def operation_outcome(category: Category, diagnostics: str) -> bytes:
    """An error as an OperationOutcome in JSON: what it means, what to do, and in `diagnostics` where it is.

    `diagnostics` names members and queries; it never holds a value of the request or the record.
    """
    told = TABLE[category]
    issue = OperationOutcomeIssue(
        severity=told.severity,
        code=told.issue_code,
        details=CodeableConcept(
            coding=[Coding(system=ERRORS, code=category.value)], text=f"{told.meaning} {told.action}"
        ),
        diagnostics=diagnostics or None,
    )
    return OperationOutcome(issue=[issue]).model_dump_json().encode()
