"""`oncohooks mapping coverage`."""

import json
from pathlib import Path

import httpx
import pytest

from fhir_mappings.concepts import LOINC
from models.features import MODALITIES
from tests.unit.fhir_mappings.resources_of import UCUM
from tests.unit.service.commands.test_cli import down, error_of, run
from tests.unit.service.far_end import BASE, FhirServer, bundle, observation, patient

AT = "2026-01-20"


def local(number: int, name: str) -> dict[str, object]:
    return {**observation(number, f"Patient/{name}"), "code": {"coding": [{"system": "urn:lab", "code": "HB1"}]}}


def odd_unit(number: int, name: str) -> dict[str, object]:
    return {
        **observation(number, f"Patient/{name}"),
        "code": {"coding": [{"system": LOINC, "code": "2951-2"}]},
        "valueQuantity": {"value": 140, "system": UCUM, "code": "bananas"},
    }


EVERYONE = [
    patient("a"), observation(1, "Patient/a"), local(2, "a"), odd_unit(3, "a"), patient("b"), local(4, "b"),
]  # fmt: skip


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A Bulk Data folder: patients in one file, their results in another, out of order."""
    folder = tmp_path / "export"
    folder.mkdir()
    for kind in ("Patient", "Observation"):
        lines = [json.dumps(one) for one in reversed(EVERYONE) if one["resourceType"] == kind]
        (folder / f"{kind}.ndjson").write_text("\n".join(lines))
    return folder


def counted(*arguments: str, network: FhirServer | None = None, ends: int = 0) -> dict[str, list[dict[str, object]]]:
    result = run("mapping", "coverage", *arguments, "--at", AT, "--json", network=network)
    assert result.exit_code == ends, result.stderr
    told: dict[str, list[dict[str, object]]] = json.loads(result.stdout)
    return told


def test_a_folder_is_counted_patient_by_patient(export: Path) -> None:
    """Parameters by modality, unknown codes with their system, units, issues."""
    told = counted("--ndjson", str(export))
    assert [one["patient"] for one in told["patients"]] == ["Patient/a", "Patient/b"]
    assert told["patients"][0] == {
        "patient": "Patient/a",
        "at": "2026-01-20T23:59:59+00:00",
        "found": 3,
        "byModality": {**dict.fromkeys(MODALITIES, 0), "demographics": 2, "laboratory": 1},
    }
    assert len(told["parameters"]) == 350
    assert {"feature": "lab_hemoglobin", "patients": 1} in told["parameters"]
    assert told["unknownCodes"] == [{"type": "Observation", "system": "urn:lab", "code": "HB1", "count": 2}]
    assert told["units"] == [{"feature": "lab_sodium", "unit": "bananas", "issue": "unit-unknown", "count": 1}]
    assert {"severity": "information", "code": "code-unknown", "count": 2} in told["issues"]
    assert told["failed"] == []


def test_bundles_are_counted_file_by_file(tmp_path: Path) -> None:
    """Several after one option, as a shell writes them; several patients in one of them."""
    both, one = tmp_path / "both.json", tmp_path / "one.json"
    both.write_text(json.dumps(bundle(*EVERYONE, {"resourceType": "Goal", "id": "g"})))
    one.write_text(json.dumps(bundle(patient("c"))))
    told = counted("--bundle", str(both), str(one))
    assert [entry["patient"] for entry in told["patients"]] == ["Patient/a", "Patient/b", "Patient/c"]
    assert {"severity": "information", "code": "type-not-read", "count": 1} in told["issues"]


@pytest.mark.parametrize("width", [80, 120])
def test_the_text_fits_the_terminal(export: Path, width: int) -> None:
    """And says who has what, and what was said in vain."""
    result = run("mapping", "coverage", "--ndjson", str(export), "--at", AT, width=width)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= width
    flowing = " ".join(result.stdout.split())
    for part in (
        "2 patients",
        "a 2 0 0 1 0 0 0 3",
        "median 2",
        "LABORATORY 1 of 78 found in somebody Haemoglobin 1",
        "2 HB1 urn:lab Observation",
        "1 bananas Sodium unit-unknown",
        "code-unknown",
    ):
        assert part in flowing


def test_what_cannot_be_read_is_told_and_the_rest_is_counted(export: Path) -> None:
    """By file and line; the exit code is 1, and nobody's disease counts as absent."""
    (export / "bad.ndjson").write_text('{"resourceType":"Patient","id":"c"}\noops\n')
    (export / "broken.ndjson.gz").write_bytes(b"no gzip")
    result = run("mapping", "coverage", "--ndjson", str(export), "--at", AT, "--json")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"{export}/bad.ndjson: line 2: not a JSON object",
        f"{export}/broken.ndjson.gz: line 1: cannot be read, or is not what gzip writes",
    ]
    told = json.loads(result.stdout)
    assert len(told["patients"]) == 3
    assert told["failed"][0] == {"where": f"{export}/bad.ndjson", "line": 2, "reason": "not a JSON object"}


def test_a_bundle_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """No JSON, no patient; the others are counted."""
    good, html, nobody = tmp_path / "good.json", tmp_path / "html.json", tmp_path / "nobody.json"
    good.write_text(json.dumps(bundle(patient("a"))))
    html.write_text("<html>")
    nobody.write_text(json.dumps(bundle(observation(1))))
    result = run("mapping", "coverage", "--bundle", str(html), str(nobody), str(good), "--json")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [f"{html}: not a JSON object", f"{nobody}: no Patient in it"]
    assert len(json.loads(result.stdout)["patients"]) == 1


def test_very_many_troubles_are_counted(export: Path) -> None:
    """The first fifty are told."""
    (export / "bad.ndjson").write_text("oops\n" * 60)
    lines = run("mapping", "coverage", "--ndjson", str(export)).stderr.splitlines()
    assert len(lines) == 51
    assert lines[-1] == "and 10 more that could not be read (--json names all)"


def test_a_folder_without_ndjson_is_not_right(tmp_path: Path) -> None:
    """It is said, rather than nothing counted."""
    result = run("mapping", "coverage", "--ndjson", str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr == f"{tmp_path}: holds no .ndjson or .ndjson.gz file\n"


@pytest.fixture
def ids(tmp_path: Path) -> Path:
    file = tmp_path / "ids.txt"
    file.write_text("canary-4711\n\nPatient/canary-4711\n")
    return file


def test_patients_of_a_server_are_read_one_by_one(server: FhirServer, ids: Path) -> None:
    """Each id once, with or without `Patient/`."""
    server.holds(laboratory=bundle(observation(1)))
    told = counted("--fhir", BASE, "--patients", str(ids), network=server)
    assert [one["patient"] for one in told["patients"]] == ["Patient/canary-4711"]


def test_a_patient_whom_the_server_does_not_know_is_told(server: FhirServer, ids: Path) -> None:
    """Like an id that is none; the others are counted, the exit code is 1."""
    server.holds()
    server.on("Patient/nobody", 404)
    ids.write_text("a b\ncanary-4711")
    told = counted("--fhir", BASE, "--patients", str(ids), network=server, ends=1)
    assert len(told["patients"]) == 1
    assert "patientId is not a FHIR id" in str(told["failed"][0]["reason"])


def test_a_server_that_answers_with_errors_is_told_for_each_patient(server: FhirServer, ids: Path) -> None:
    """And ends with 1."""
    server.holds(patient=500)
    told = counted("--fhir", BASE, "--patients", str(ids), network=server, ends=1)
    assert told["patients"] == []
    assert told["failed"][0]["where"] == "Patient/canary-4711"


def test_a_server_that_cannot_be_reached_is_3(server: FhirServer, ids: Path) -> None:
    """At once: no other patient would be read either."""
    server.holds(patient=down)
    result = run("mapping", "coverage", "--fhir", BASE, "--patients", str(ids), network=server)
    assert result.exit_code == 3
    assert error_of(result) == (
        "Error: The FHIR server could not be reached (no connection). Run `oncohooks check`; try again."
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "give one of --fhir, --bundle and --ndjson"),
        (["--ndjson", "{folder}", "--bundle", "{file}"], "give one of --fhir, --bundle and --ndjson"),
        (["--fhir", BASE], "--fhir and --patients need each other"),
        (["--ndjson", "{folder}", "{file}"], "files belong to --bundle"),
        (["--fhir", BASE, "--patients", "{file}"], "names no patient"),
        (["--bundle", "no-such-file"], "'no-such-file' does not exist"),
        (["--ndjson", "{folder}", "--at", "soon"], "neither now, latest, a date"),
    ],
)
def test_a_wrong_call_is_told_on_one_line(tmp_path: Path, arguments: list[str], expected: str) -> None:
    """With exit code 2."""
    file = tmp_path / "empty.txt"
    file.write_text("\n")
    filled = [argument.format(folder=tmp_path, file=file) for argument in arguments]
    result = run("mapping", "coverage", *filled)
    assert result.exit_code == 2
    assert expected in error_of(result)


def test_the_network_is_asked_for_nothing_else(server: FhirServer, ids: Path) -> None:
    """Only the queries of the catalogue."""
    server.holds()
    counted("--fhir", BASE, "--patients", str(ids), network=server)
    assert server.unmatched == []
    assert all(isinstance(request, httpx.Request) and request.method == "GET" for request in server.requests)
