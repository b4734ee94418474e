"""Schemathesis makes requests from the OpenAPI document, right ones and wrong ones: nothing undocumented comes back."""

import json
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from fhir.resources.R4B.operationoutcome import OperationOutcome
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from service.app import create_app
from service.fhir_settings import FhirServer
from service.settings import Settings
from tests.conformance.recording import FHIR, Hospital, exchanges
from tests.unit.service.far_end import unlearned_package

EXAMPLES = settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
Request = schemathesis.Case[Any]
CHECKS = [checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance]


@pytest.fixture(scope="session")
def described() -> Any:
    """The document of the app, with the app behind it."""
    app = create_app(
        Settings(auth="off", fhir=(FhirServer(url=FHIR),), deadline_seconds=20),
        transport=Hospital(),
        package=unlearned_package(),
    )
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.fixture(scope="session")
def ids() -> Sequence[str]:
    """The services that discovery lists."""
    return [service["id"] for service in exchanges()[0].body["services"]]


def answer(case: Request) -> int:
    """Send a request and look at the answer; gives its status."""
    got = case.call_and_validate(checks=CHECKS)
    if got.status_code >= 400:
        assert got.status_code != 500
        assert OperationOutcome.model_validate(json.loads(got.content)).issue
    return int(got.status_code)


def test_every_answer_is_documented(described: Any) -> None:
    """Whatever right thing is sent, status and body are in the document, and every fault is an OperationOutcome."""

    def send(case: Request) -> None:
        answer(case)

    for found in described.get_all_operations():
        settings(EXAMPLES, max_examples=5)(given(case=found.ok().as_strategy())(send))()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(GenerationMode.POSITIVE, {200, 412}), (GenerationMode.NEGATIVE, {400})],
    ids=["right", "wrong"],
)
def test_every_answer_of_a_service_is_documented(
    described: Any, ids: Sequence[str], mode: GenerationMode, expected: set[int]
) -> None:
    """The same of right and of wrong bodies, under the ids that exist, in turn."""
    seen: set[int] = set()
    turn = cycle(ids)

    def send(case: Request) -> None:
        case.path_parameters["id"] = next(turn)
        seen.add(answer(case))

    for found in described.include(path_regex="{id}").get_all_operations():
        EXAMPLES(given(case=found.ok().as_strategy(generation_mode=mode))(send))()
    assert seen >= expected
