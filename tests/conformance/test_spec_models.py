"""Models written from the specification's text read everything that the service says, and refuse what is wrong."""

import copy
import json
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from pydantic import BaseModel, ValidationError

from tests.conformance.exchange import ANSWERED, FAULTS, Case, Exchange
from tests.conformance.recording import exchanges
from tests.conformance.rule import Mutant, card
from tests.conformance.spec_models import Discovery, FeedbackRequest, HookResponse

MODELS: dict[Case, type[BaseModel]] = {Case.DISCOVERY: Discovery, **dict.fromkeys(ANSWERED, HookResponse)}


def read(exchange: Exchange) -> BaseModel:
    return MODELS[exchange.case].model_validate_json(json.dumps(exchange.body))


def test_every_answer_is_read() -> None:
    """Discovery, scores, abstentions and warnings: no member that the specification does not know, none missing."""
    given = [exchange for exchange in exchanges() if exchange.case in MODELS]
    assert {exchange.case for exchange in given} == set(MODELS)
    for exchange in given:
        assert read(exchange).model_dump(exclude_unset=True) == exchange.body


def test_every_fault_is_an_operation_outcome() -> None:
    """The bodies of refusals are FHIR, which fhir.resources reads."""
    faults = [exchange for exchange in exchanges() if exchange.case in FAULTS]
    assert {exchange.case for exchange in faults} == FAULTS
    for exchange in faults:
        assert OperationOutcome.model_validate(exchange.body).issue


def test_the_feedback_that_is_taken_is_the_specifications() -> None:
    """What we give as feedback in these tests is as the specification writes it."""
    sent = [exchange.sent for exchange in exchanges() if exchange.case is Case.FEEDBACK]
    assert sent
    for body in sent:
        assert FeedbackRequest.model_validate_json(json.dumps(body)).feedback


def first_answer() -> Exchange:
    return copy.deepcopy(next(e for e in exchanges() if e.case is Case.CALL and e.body["cards"]))


@pytest.mark.parametrize(
    "mutant",
    [
        card(summary="x" * 140),
        card(summary=None),
        card(sumary="x"),
        card(links=[]),
        card(indicator="hard-stop"),
        card("source", label=""),
        card("source", url="/model"),
        card(suggestions=[{"label": "x"}]),
        card(overrideReasons=[{"code": "x", "system": "urn:x"}]),
        card(links=[{"label": "x", "url": "https://x.example", "type": "absolute", "appContext": "x"}]),
        card(extension={"assessment": 1}),
    ],
)
def test_a_wrong_card_is_not_read(mutant: Mutant) -> None:
    """The models are no rubber stamp."""
    wrong: Any = mutant(first_answer())
    with pytest.raises(ValidationError):
        read(wrong)
