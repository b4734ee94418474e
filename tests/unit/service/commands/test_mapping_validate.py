"""`oncohooks mapping validate`, and what every command makes of a site's codes."""

import json
from pathlib import Path

import pytest

from fhir_mappings.concepts import LOINC, catalogue, use_site
from tests.site import LAB, overlay
from tests.unit.service.commands.test_cli import error_of, run

GOOD = (f"{LAB},ALB1,lab_albumin,,g/L", f"{LAB},CREA,{LOINC}|2160-0,,")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that ONCOHOOKS_SITE names, in a process that has read nothing yet; afterwards it is nobody's."""
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    monkeypatch.setenv("ONCOHOOKS_AUTH", "off")
    (tmp_path / "site.toml").write_text("")
    catalogue.cache_clear()
    return tmp_path


@pytest.fixture(autouse=True)
def _nobodys() -> object:
    yield
    catalogue.cache_clear()
    use_site(None)


def test_a_folder_without_codes_is_told(site: Path) -> None:
    """Nothing is wrong with it; but whoever named another folder than meant should see it."""
    result = run("mapping", "validate", "--site", str(site))
    assert (result.exit_code, result.stdout) == (0, "no codes: neither overlay.csv nor a ConceptMap holds any\n")


def test_each_row_is_told_with_what_it_means(tmp_path: Path) -> None:
    """Parameter, label, what a code stands for, how a number without a unit is converted."""
    result = run("mapping", "validate", "--site", str(overlay(tmp_path, *GOOD)), width=120)
    assert result.exit_code == 0
    assert result.stdout.startswith("2 codes, digest ")
    albumin, creatinine = result.stdout.splitlines()[-2:]
    assert albumin.split() == ["ALB1", "lab_albumin", "(Albumin)", "value", "g/L", "×", "0.1", "=", "g/dL"]
    assert creatinine.split() == ["CREA", "lab_creatinine", "(Creatinine)", "value", "2160-0"]
    told = json.loads(run("mapping", "validate", "--site", str(tmp_path), "--json").stdout)
    assert told["problems"] == []
    assert told["digest"] in result.stdout
    assert told["codes"][0] == {
        "system": LAB, "code": "ALB1", "parameter": "lab_albumin", "label": "Albumin", "meaning": "value",
        "unit": "g/dL", "told": "overlay.csv: line 2", "assumedUnit": "g/L", "factor": 0.1, "offset": 0.0,
    }  # fmt: skip


def test_every_problem_is_told(tmp_path: Path) -> None:
    """One a line on standard error, and in JSON; then no digest, as nothing would be read by it."""
    overlay(tmp_path, GOOD[0], f"{LAB},X,nothing,,", f"{LAB},Y,lab_crp,sum,")
    result = run("mapping", "validate", "--site", str(tmp_path))
    assert result.exit_code == 1
    assert [line[:20] for line in result.stderr.splitlines()] == ["overlay.csv: line 3:", "overlay.csv: line 4:"]
    assert result.stdout.startswith("1 codes can be read by, 2 problems")
    told = json.loads(run("mapping", "validate", "--site", str(tmp_path), "--json").stdout)
    assert (len(told["problems"]), told["digest"]) == (2, "")


def test_a_folder_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    assert run("mapping", "validate", "--site", str(tmp_path / "none")).exit_code == 2


EXAMPLES = str(Path(__file__).parents[4] / "docs" / "example-patients.ndjson.gz")


@pytest.mark.parametrize(
    "command",
    [
        ("serve",),
        ("score", "--bundle", EXAMPLES, "--patient", "demo-breast", "--at", "latest"),
        ("mapping", "explain", EXAMPLES, "--patient", "demo-breast", "--at", "latest"),
        ("mapping", "coverage", "--bundle", EXAMPLES, "--at", "latest"),
        ("mapping", "catalogue"),
        ("cohort", "describe", EXAMPLES),
    ],
)
def test_a_wrong_table_stops_every_command(site: Path, command: tuple[str, ...]) -> None:
    """On one line, as a wrong setting does."""
    overlay(site, f"{LAB},X,nothing,,")
    result = run(*command)
    assert result.exit_code == 2
    assert error_of(result).startswith("Error: overlay.csv: line 2: parameter: no parameter is called 'nothing'")


def test_a_folder_that_is_not_there_stops_every_command(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that read no site.toml: a mistyped folder is not a site without codes."""
    monkeypatch.setenv("ONCOHOOKS_SITE", str(site / "none"))
    result = run("mapping", "catalogue")
    assert (result.exit_code, error_of(result)) == (2, f"Error: {site / 'none'}: No such file or directory")


def test_check_has_a_line_for_the_codes(site: Path) -> None:
    """How many, and which; or what is wrong, and then nothing else is tried."""
    overlay(site, *GOOD)
    [line] = [line for line in run("check").stdout.splitlines() if "site codes" in line]
    assert line.startswith("ok ")
    assert "2 of its own, digest " in line
    catalogue.cache_clear()
    overlay(site, f"{LAB},X,nothing,,")
    result = run("check")
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.stdout.splitlines()][-1] == "red"
    assert "overlay.csv: line 2" in result.stdout


def test_the_catalogue_shows_the_codes_of_the_site(site: Path) -> None:
    """Marked, with the row that says so; those without the site are the shipped ones."""
    overlay(site, *GOOD)
    text = run("mapping", "catalogue", "lab_albumin").stdout
    assert LAB in text
    assert "site: overlay.csv: line 2" in text
    assert "(+site)" in run("mapping", "catalogue").stdout
    [one] = json.loads(run("mapping", "catalogue", "lab_creatinine", "--json").stdout)
    assert [code for code in one["codes"] if code["verification"] == "site"] == [
        {
            "system": LAB, "code": "CREA", "meaning": "value", "display": "read as 2160-0", "verification": "site",
            "source": "overlay.csv: line 3",
        }
    ]  # fmt: skip


def test_explain_coverage_and_score_read_by_the_site(site: Path, tmp_path: Path) -> None:
    """The code is unknown before, and a value afterwards, whose rule and mark say by whose word; the score names it."""
    subject = {"reference": "Patient/a"}
    resources = [
        {"resourceType": "Patient", "id": "a", "birthDate": "1960-01-01", "gender": "female"},
        {
            "resourceType": "Observation", "id": "1", "status": "final", "subject": subject,
            "effectiveDateTime": "2026-01-19", "code": {"coding": [{"system": LAB, "code": "ALB1"}]},
            "valueQuantity": {"value": 42},
        },
    ]  # fmt: skip
    file = tmp_path / "a.ndjson"
    file.write_text("\n".join(map(json.dumps, resources)))
    at = ("--at", "2026-01-20", "--json")
    before = json.loads(run("mapping", "coverage", "--bundle", str(file), *at).stdout)
    assert [(code["system"], code["code"]) for code in before["unknownCodes"]] == [(LAB, "ALB1")]
    catalogue.cache_clear()
    overlay(site, *GOOD)
    after = json.loads(run("mapping", "coverage", "--bundle", str(file), *at).stdout)
    assert after["unknownCodes"] == []
    slots = json.loads(run("mapping", "explain", str(file), *at).stdout)["parameters"]
    [albumin] = [slot for slot in slots if slot["feature"] == "lab_albumin"]
    assert albumin["value"] == pytest.approx(4.2)
    assert (albumin["flags"], albumin["rule"]) == (["unit-assumed"], "value of ALB1, by the site's overlay")
    text = run("mapping", "explain", str(file), "--at", "2026-01-20", width=160).stdout
    assert "(unit-assumed)" in " ".join(text.split())
    mapping = json.loads(run("score", "--bundle", str(file), *at).stdout)["mapping"]
    assert mapping["site"] == catalogue().site.digest
