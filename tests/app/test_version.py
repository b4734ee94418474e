"""Which FHIR version a server's resources are read as: by setting, else R4 until the server states another."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service.cli import main
from service.fhir.capability import STATEMENT
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import BASE, PATIENT, Caller, FhirServer, assessment_of, bundle, full_prefetch, patient

R5, R4 = "5.0.0", "4.0.1"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def visit(number: int = 1) -> dict[str, Any]:
    """An Encounter of R5."""
    return {
        "resourceType": "Encounter",
        "id": f"e{number}",
        "status": "completed",
        "class": [{"coding": [{"system": ACT_CODE, "code": "EMER"}]}],
        "subject": {"reference": f"Patient/{PATIENT}"},
        "actualPeriod": {"start": "2026-01-02", "end": "2026-01-02"},
    }


def stating(number: str) -> dict[str, Any]:
    return {"resourceType": "CapabilityStatement", "fhirVersion": number, "kind": "instance"}


def asked(server: FhirServer) -> int:
    """How often the server was asked for its statement."""
    return sum(str(request.url).endswith(STATEMENT) for request in server.requests)


def encounters(caller: Caller, **call: Any) -> tuple[str, bool]:
    """The state of the query for encounters, and whether one of them was of another version."""
    assessment = assessment_of(caller.hook(fhirServer=BASE, **call))
    [state] = [line["state"] for line in assessment["retrieval"] if line["key"] == "encounters"]
    return state, "other-version" in {issue["code"] for issue in assessment.get("issues", [])}


@pytest.mark.parametrize("sent", [True, False])
def test_a_server_of_r5_is_asked_once(caller: Caller, server: FhirServer, sent: bool) -> None:
    """The first resource of R5 makes it be asked; prefetch and search are read as R5 from then on."""
    server.holds(encounters=bundle(visit(1), visit(2)))
    server.on(STATEMENT, stating(R5))
    call = {"prefetch": full_prefetch(encounters=bundle(visit(1)))} if sent else {}
    for _ in range(3):
        assert encounters(caller, **call) == ("complete", False)
    assert asked(server) == 1


def test_a_server_is_not_asked_without_need(caller: Caller, server: FhirServer) -> None:
    """What has the shape of R4 costs no request."""
    assert encounters(caller, prefetch=full_prefetch()) == ("empty", False)
    assert server.requests == []


@pytest.mark.parametrize("version", ["R4", "R4B"])
def test_the_setting_decides_and_spares_the_question(calling: MakeCaller, server: FhirServer, version: str) -> None:
    """R5 from a server that the site calls R4 stays unread, and the answer partial."""
    caller = calling(fhir=[{"url": BASE, "version": version}])
    assert encounters(caller, prefetch=full_prefetch(encounters=bundle(visit()))) == ("partial", True)
    caller = calling(fhir=[{"url": BASE, "version": "R5"}])
    assert encounters(caller, prefetch=full_prefetch(encounters=bundle(visit()))) == ("complete", False)
    assert server.requests == []


@pytest.mark.parametrize(
    "answer", [403, 500, stating("3.0.2"), stating(R4), {"resourceType": "Patient"}, {"resourceType": "Bundle"}]
)
def test_without_a_statement_of_r5_everything_is_read_as_r4(caller: Caller, server: FhirServer, answer: Any) -> None:
    """A statement that is refused, or of a version that is not read, is no error, and not asked for at every call."""
    server.on(STATEMENT, answer)
    for _ in range(2):
        assert encounters(caller, prefetch=full_prefetch(encounters=bundle(visit()))) == ("partial", True)
    assert asked(server) == 1


def test_a_statement_that_does_not_come_holds_no_call_up(calling: MakeCaller, server: FhirServer) -> None:
    """It is waited for no longer than for the record; what was sent is read as R4."""
    server.on(STATEMENT, stating(R5))
    server.seconds = 4.0
    caller = calling(deadline_seconds=0.1, hard_deadline_seconds=0.1)
    began = time.monotonic()
    assert encounters(caller, prefetch=full_prefetch(encounters=bundle(visit()))) == ("partial", True)
    assert time.monotonic() - began < 2.0
    assert asked(server) == 1


def test_a_server_that_is_not_listed_is_never_asked(caller: Caller, server: FhirServer) -> None:
    """Its prefetch is read as R4."""
    prefetch = full_prefetch(encounters=bundle(visit()))
    assessment = assessment_of(caller.hook(fhirServer="https://elsewhere.example/r5", prefetch=prefetch))
    assert "other-version" in {issue["code"] for issue in assessment.get("issues", [])}
    assert server.requests == []


@pytest.mark.parametrize(("options", "codes"), [([], {"other-version"}), (["--fhir-version", "R5"], set())])
def test_a_file_is_read_as_the_option_says(tmp_path: Path, options: list[str], codes: set[str]) -> None:
    """A Bundle does not say its version; without the option it is R4."""
    file = tmp_path / "one.json.gz"
    file.write_bytes(gzip.compress(json.dumps(bundle(patient(), visit())).encode()))
    result = CliRunner().invoke(main, ["score", "--bundle", str(file), "--json", *options])
    assert result.exit_code == 0
    issues = {issue["code"] for issue in json.loads(result.stdout).get("issues", [])}
    assert issues & {"other-version", "unreadable"} == codes
