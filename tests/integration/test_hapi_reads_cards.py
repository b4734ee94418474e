"""HAPI's own Java classes of CDS Hooks read what the service says, member by member."""

import copy
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.exchange import ANSWERED, Case
from tests.conformance.recording import exchanges
from tests.integration.hapi_server import ServerMissing, read_cds_hooks
from tests.integration.missing import missing

# HAPI's class of a service has no member for these, which CDS Hooks defines.
NOT_IN_HAPI = ("usageRequirements", "version", "hookVersion")


def lost(folder: Path, discovery: Any, replies: Sequence[Any]) -> tuple[int, str]:
    """Exit status and complaints of the Java program about these replies."""
    arguments = []
    for number, (kind, body) in enumerate([("discovery", discovery), *(("cards", reply) for reply in replies)]):
        file = folder / f"{number}.json"
        file.write_text(json.dumps(body))
        arguments += [kind, str(file)]
    try:
        done = subprocess.run(read_cds_hooks(arguments), capture_output=True, text=True, timeout=120, check=False)
    except ServerMissing as why:
        missing(f"HAPI: {why}")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def discovery() -> Any:
    """Discovery without what HAPI has no member for."""
    body = copy.deepcopy(next(exchange.body for exchange in exchanges() if exchange.case is Case.DISCOVERY))
    for service in body["services"]:
        for name in NOT_IN_HAPI:
            service.pop(name, None)
    return body


@pytest.fixture(scope="module")
def replies() -> Sequence[Any]:
    return [exchange.body for exchange in exchanges() if exchange.case in ANSWERED]


def test_nothing_is_lost(tmp_path: Path, discovery: Any, replies: Sequence[Any]) -> None:
    """Discovery, scores, abstentions and warnings come through HAPI's classes as they were sent, extension included."""
    assert lost(tmp_path, discovery, replies)[0] == 0


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"sumary": "x"}, "/cards/0/sumary is lost"),
        ({"selectionBehaviour": "any"}, "/cards/0/selectionBehaviour is lost"),
        ({"indicator": "hard-stop"}, "hard-stop"),
        ({"source": "oncohooks"}, "CdsServiceResponseCardSourceJson"),
    ],
)
def test_what_is_wrong_is_seen(
    tmp_path: Path, discovery: Any, replies: Sequence[Any], changed: dict[str, Any], complaint: str
) -> None:
    """A misspelt member is lost, a wrong value is not read: the judge is awake."""
    reply = copy.deepcopy(replies[0])
    reply["cards"][0].update(changed)
    status, said = lost(tmp_path, discovery, [reply])
    assert status != 0
    assert complaint in said
