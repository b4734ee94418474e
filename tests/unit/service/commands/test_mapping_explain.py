"""`oncohooks mapping explain`."""

import gzip
import json
from pathlib import Path

import pytest

from fhir_mappings.concepts import catalogue
from tests.unit.fhir_mappings.resources_of import bundle, condition, documented, measured, patient, tumour
from tests.unit.service.commands.test_cli import error_of, run
from tests.unit.service.far_end import bundle as searchset
from tests.unit.service.far_end import observation
from tests.unit.service.far_end import patient as somebody

AT = "2024-05-20"


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A breast cancer, documented care, a haemoglobin in mmol/L and an older one, a unit that nobody knows."""
    resources = (
        patient(),
        tumour("C50.4", id="tumour"),
        *documented(),
        measured("718-7", 7.0, "mmol/L", id="hb"),
        measured("718-7", 12.0, "g/dL", days=9, id="hb-old"),
        measured("2951-2", 140, "bananas", id="sodium"),
    )
    file = tmp_path / "chart.json.gz"
    file.write_bytes(gzip.compress(bundle(*resources)))
    return file


def test_the_json_answers_for_every_slot_and_resource(chart: Path) -> None:
    """As the contract writes it."""
    told = json.loads(run("mapping", "explain", str(chart), "--at", AT, "--json").stdout)
    assert set(told) == {"patient", "at", "parameters", "empty", "resources", "issues"}
    assert (told["patient"], told["at"]) == ("Patient/p", "2024-05-20T23:59:59+00:00")
    assert len(told["parameters"]) + len(told["empty"]) == len(catalogue().schema)
    [haemoglobin] = [one for one in told["parameters"] if one["feature"] == "lab_hemoglobin"]
    assert haemoglobin["original"] == {"value": 7.0, "unit": "mmol/L"}
    assert haemoglobin["value"] == pytest.approx(11.28, abs=0.01)
    assert haemoglobin["sources"] == ["Observation/hb"]
    assert set(haemoglobin) == {"feature", "value", "unit", "effective", "sources", "original", "rule"}
    empty = {one["feature"]: one["reason"] for one in told["empty"]}
    assert empty["lab_sodium"] == "its unit is not known for this parameter (Observation/sodium)"
    resources = {one["source"]: one for one in told["resources"]}
    assert resources["Observation/hb"]["used"] == ["lab_hemoglobin"]
    assert resources["Observation/hb-old"] == {
        "source": "Observation/hb-old",
        "reason": "lab_hemoglobin: an older value than the one used",
    }
    assert [issue["code"] for issue in told["issues"] if issue["severity"] == "warning"] == ["unit-unknown"]


def test_an_emergency_has_windows_of_its_own(chart: Path) -> None:
    """By the option; without one the JSON has no arrival."""
    told = json.loads(run("mapping", "explain", str(chart), "--at", AT, "--json", "--emergency").stdout)
    assert told["arrival"] == "2024-05-20T17:59:59+00:00"
    [haemoglobin] = [one for one in told["parameters"] if one["feature"] == "lab_hemoglobin"]
    assert haemoglobin["flags"] == ["before-arrival"]
    text = run("mapping", "explain", str(chart), "--at", AT, "--emergency").stdout
    assert "With the windows of an emergency since 2024-05-20T17:59:59+00:00." in text
    assert "emergency" not in run("mapping", "explain", str(chart), "--at", AT).stdout


@pytest.mark.parametrize("width", [80, 120])
def test_the_text_fits_the_terminal(chart: Path, width: int) -> None:
    """And holds values, conversions, reasons, resources and issues, by the names people use."""
    result = run("mapping", "explain", str(chart), "--at", AT, width=width)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= width
    flowing = " ".join(result.stdout.split())
    for part in (
        "Patient/p, as of 2024-05-20",
        "Breast cancer yes",
        "11.3 g/dL ← 7 mmol/L",
        "No for the other 37 cancer types (the tumour is Breast cancer)",
        "), not among the problems of a completed encounter",
        "- its unit is not known for this parameter (Observation/sodium) (1): Sodium",
        "RESOURCES 4 of 7 used",
        "an older value than the one used",
        "unit-unknown",
    ):
        assert part in flowing


def test_every_resource_can_be_listed(chart: Path) -> None:
    """One a line with `--all`."""
    text = run("mapping", "explain", str(chart), "--at", AT, "--all", width=120).stdout
    [used] = [line for line in text.splitlines() if line.startswith("Observation/hb ")]
    [unused] = [line for line in text.splitlines() if line.startswith("Observation/hb-old ")]
    assert used.endswith("Haemoglobin")
    assert unused.endswith("not used: Haemoglobin: an older value than the one used")


def test_strict_adds_what_another_library_says(tmp_path: Path) -> None:
    """In the text and in the JSON; what it has nothing against is not listed."""
    file = tmp_path / "a.json"
    file.write_bytes(
        bundle(patient(), measured("718-7", 12, "g/dL", id="a"), measured("718-7", 1, "g/dL", mood=1, id="b"))
    )
    text = run("mapping", "explain", str(file), "--strict").stdout
    assert "FHIR.RESOURCES (R4B)  1 objections" in text
    told = json.loads(run("mapping", "explain", str(file), "--strict", "--json").stdout)
    assert told["strict"] == [{"source": "Observation/b", "path": "mood", "text": "Extra inputs are not permitted"}]


def test_one_of_several_patients_is_explained_and_the_others_are_listed(tmp_path: Path) -> None:
    """As somebody else's."""
    file = tmp_path / "two.json"
    file.write_text(json.dumps(searchset(somebody("a"), somebody("b"), observation(1, "Patient/b"))))
    told = json.loads(run("mapping", "explain", str(file), "--patient", "a", "--json").stdout)
    reasons = {one["source"]: one.get("reason") for one in told["resources"]}
    assert reasons["Patient/b"] == reasons["Observation/o1"] == "belongs to another patient"
    assert not reasons["Patient/a"]


def test_one_resource_alone_is_explained(tmp_path: Path) -> None:
    """Of the patient it names."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps(condition("I50.0", id="c")))
    told = json.loads(run("mapping", "explain", str(file), "--at", AT, "--json").stdout)
    assert [one["feature"] for one in told["parameters"]] == ["comorb_chf"]
    assert told["resources"] == [{"source": "Condition/c", "used": ["comorb_chf"]}]


def test_a_bad_line_is_told_and_the_others_are_explained(tmp_path: Path) -> None:
    """On standard error, with its number; the exit code is 1."""
    file = tmp_path / "a.ndjson"
    file.write_text("\n".join([json.dumps(patient()), "oops", json.dumps(measured("718-7", 12, "g/dL"))]))
    result = run("mapping", "explain", str(file), "--at", AT, "--json")
    assert result.exit_code == 1
    assert result.stderr == f"{file}: line 2: not a JSON object\n"
    assert "lab_hemoglobin" in {one["feature"] for one in json.loads(result.stdout)["parameters"]}


@pytest.mark.parametrize(
    ("content", "arguments", "expected"),
    [
        ("<html>", [], "not a JSON object"),
        ('{"resourceType":"Bundle"}', [], "no Patient in it; name one by --patient"),
        (json.dumps(searchset(somebody("b"), somebody("a"))), [], "holds 2 patients, name one by --patient: a, b"),
        (json.dumps(somebody("a")), ["--at", "yesterday"], "neither now, latest, a date"),
    ],
)
def test_what_cannot_be_explained_is_told_on_one_line(
    tmp_path: Path, content: str, arguments: list[str], expected: str
) -> None:
    """Naming the file or the option, with exit code 2."""
    file = tmp_path / "a.json"
    file.write_text(content)
    result = run("mapping", "explain", str(file), *arguments)
    assert result.exit_code == 2
    assert expected in error_of(result)
    assert ("--at" if arguments else str(file)) in error_of(result)


def test_nothing_in_a_file_moves_the_cursor(tmp_path: Path) -> None:
    """Control characters of an id are not printed."""
    file = tmp_path / "a.json"
    file.write_bytes(bundle(patient(), measured("718-7", 12, "g/dL", id="x\x1b[2Jy")))
    assert "\x1b" not in run("mapping", "explain", str(file), "--at", AT, "--all").stdout


def test_a_missing_file_is_a_wrong_call() -> None:
    """Named."""
    result = run("mapping", "explain", "no-such-file.json")
    assert result.exit_code == 2
    assert "'no-such-file.json' does not exist" in error_of(result)
