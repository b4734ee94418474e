"""The protocol for the OpenAPI document: we read the bodies, within limits, so FastAPI does not know them by itself."""

from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from fhir_mappings.retrieval import Query
from service.cds_hooks.feedback import FeedbackRequest
from service.cds_hooks.wire import CardResponse, Discovery, Hook

_REF = "#/components/schemas/{name}"
_FAULT = {
    "description": "an OperationOutcome that says what is wrong and what to do",
    "content": {"application/fhir+json": {"schema": {"$ref": _REF.format(name="OperationOutcome")}}},
}
_TEXT = {"type": "string"}
_PREFETCH = {
    "type": "object",
    "description": "the keys of discovery; null where there are no data",
    "additionalProperties": {"$ref": _REF.format(name="Prefetched")},
}
_REQUEST: dict[str, Any] = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"type": "string", "enum": list(get_args(Hook))},
        "hookInstance": {"type": "string", "format": "uuid"},
        "fhirServer": {"type": "string", "format": "uri"},
        "fhirAuthorization": {
            "type": "object",
            "required": ["access_token", "token_type", "expires_in", "scope", "subject"],
            "properties": {
                "access_token": {"type": "string", "pattern": r"^[!-~]+$"},
                "token_type": {"type": "string", "pattern": "^[Bb][Ee][Aa][Rr][Ee][Rr]$"},
                "expires_in": {"type": "integer", "minimum": 1, "maximum": 2**31},
                "scope": _TEXT,
                "subject": _TEXT,
                "patient": _TEXT,
            },
        },
        "context": {
            "type": "object",
            "required": ["patientId"],
            "properties": {
                "patientId": {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"},
                "userId": _TEXT,
                "encounterId": _TEXT,
                "draftOrders": {"type": "object", "description": "the Bundle of order-sign"},
            },
        },
        "extension": {"type": "object"},
    },
}
_RESOURCE = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string", "pattern": "^[A-Z][A-Za-z]+$"}, "id": _TEXT},
}
_PREFETCHED = {
    "anyOf": [
        {"$ref": _REF.format(name="Resource")},
        {
            "type": "object",
            "required": ["resourceType"],
            "properties": {
                "resourceType": {"const": "Bundle"},
                "type": _TEXT,
                "entry": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"resource": {"$ref": _REF.format(name="Resource")}}},
                },
            },
        },
        {"type": "null"},
    ]
}
_OUTCOME = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["severity", "code"],
                "properties": {
                    "severity": {"enum": ["fatal", "error", "warning", "information"]},
                    "code": _TEXT,
                    "details": {"type": "object"},
                    "diagnostics": _TEXT,
                },
            },
        },
    },
}


def _answer(description: str, name: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=name)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


DISCOVERY: dict[str, Any] = {
    "responses": {"200": _answer("the services", Discovery.__name__), "401": {"description": "no client's token"}}
}
HOOK_CALL: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": _REF.format(name="HookRequest")}}},
    },
    "responses": {
        "200": _answer("one card", CardResponse.__name__),
        "401": {"description": "no client's token"},
        **dict.fromkeys(("400", "403", "404", "412", "413", "500", "502", "503", "504"), _FAULT),
    },
}
FEEDBACK: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": _REF.format(name=FeedbackRequest.__name__)}}},
    },
    "responses": {
        "200": {"description": "kept, or known already; without a body"},
        "401": {"description": "no client's token"},
        **dict.fromkeys(("400", "404", "413", "500", "503"), _FAULT),
    },
}


def components(queries: Sequence[Query]) -> dict[str, Any]:
    """The schemas that the descriptions above refer to; `queries` are those that a client may answer."""
    keys = {query.key: {"$ref": _REF.format(name="Prefetched")} for query in queries}
    request = {**_REQUEST, "properties": {**_REQUEST["properties"], "prefetch": {**_PREFETCH, "properties": keys}}}
    _, written = msgspec.json.schema_components((Discovery, CardResponse), ref_template=_REF)
    feedback = FeedbackRequest.model_json_schema(ref_template=_REF.format(name="{model}"))
    parts = feedback.pop("$defs")
    return {
        **written,
        **parts,
        FeedbackRequest.__name__: feedback,
        "HookRequest": request,
        "Prefetched": _PREFETCHED,
        "Resource": _RESOURCE,
        "OperationOutcome": _OUTCOME,
    }
