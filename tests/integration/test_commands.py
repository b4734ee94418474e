"""The commands that README shows, as a newcomer types them."""

import gzip
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from demo.fhir_endpoint import PATH, create_endpoint
from demo.patients import demo_bundle, demo_patients
from demo.server import in_thread
from tests.conftest import ROOT
from tests.integration import mapping_page

ONCOHOOKS = [sys.executable, "-m", "service.cli"]


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(Path.home()), **environment}
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=300, check=False)


def shown() -> list[list[str]]:
    """Every `oncohooks` command in a code block of README, split into words."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = [
        line.partition(" #")[0].strip() for language, block in blocks if not language for line in block.splitlines()
    ]
    found = [shlex.split(line) for line in lines if line.startswith("oncohooks ")]
    assert len(found) >= 5  # README shows more than that: fewer means that the blocks were not told apart
    return found


@pytest.mark.parametrize("words", shown(), ids=" ".join)
def test_readme_shows_commands_and_options_that_exist(words: list[str]) -> None:
    """Each command of README exists and knows each option that README gives it."""
    name = [word for word in words[1:4] if re.fullmatch(r"[a-z]+(-[a-z]+)*", word)]
    told = run([*ONCOHOOKS, *name, "--help"]).stdout
    assert all(word in told for word in words if word.startswith("--"))
    assert "Example:" in told


def test_the_demonstration_ends_with_a_card() -> None:
    """`scripts/demo --once` prints a card as people read it and ends with 0."""
    done = run(["scripts/demo", "--once"])
    assert done.returncode == 0, done.stderr
    assert "Against a typical patient of that group" in done.stdout
    assert "Demonstration" in done.stdout
    assert "/cds-services" in done.stdout


def test_a_bundle_is_scored_without_a_server(tmp_path: Path) -> None:
    """`oncohooks score --bundle` prints the assessment as text, and whole with --json."""
    file = tmp_path / "record.json"
    file.write_text(json.dumps(demo_bundle(["demo-lung"])))
    text = run([*ONCOHOOKS, "score", "--bundle", str(file)])
    whole = run([*ONCOHOOKS, "score", "--bundle", str(file), "--json"])
    assert text.returncode == whole.returncode == 0
    assert text.stdout.startswith("Compared with similar non-small cell lung cancer patients")
    assert json.loads(whole.stdout)["entity"]["key"] == "entity_nsclc"


def test_a_patient_of_a_server_is_scored_and_checked() -> None:
    """`oncohooks score --fhir` reads a running server; `oncohooks check` finds it in order."""
    everyone = (resource for chart in demo_patients().values() for resource in chart)
    with in_thread(create_endpoint(everyone), path=PATH) as url:
        scored = run([*ONCOHOOKS, "score", "--fhir", url, "--patient", "demo-breast", "--json"])
        unknown = run([*ONCOHOOKS, "score", "--fhir", url, "--patient", "nobody"])
        checked = run([*ONCOHOOKS, "check"], ONCOHOOKS_AUTH="off", ONCOHOOKS_FHIR=url)
    assert json.loads(scored.stdout)["status"] == "scored"
    assert unknown.returncode == 2
    assert len(unknown.stderr.strip().splitlines()) == 1
    assert checked.returncode == 0, checked.stdout


def test_the_page_on_mapping_shows_what_its_commands_print() -> None:
    """docs/mapping.md and its example are as `python -m tests.integration.mapping_page` writes them."""
    page = mapping_page.PAGE.read_text(encoding="utf-8")
    assert gzip.decompress(mapping_page.EXAMPLE.read_bytes()).decode() == mapping_page.example()
    assert mapping_page.refreshed(page) == page


def test_the_page_on_a_cohort_of_ones_own_shows_what_its_commands_print() -> None:
    """docs/own-cohort.md, on the patients of the page on mapping."""
    page = mapping_page.COHORT_PAGE.read_text(encoding="utf-8")
    assert mapping_page.refreshed(page) == page


def test_the_page_on_a_sites_codes_shows_what_its_commands_print() -> None:
    """docs/overlay.md too; the table that it shows is the example's."""
    page = mapping_page.OVERLAY_PAGE.read_text(encoding="utf-8")
    assert mapping_page.refreshed(page) == page
    table = (ROOT / "docs" / "example-site" / "overlay.csv").read_text(encoding="utf-8")
    assert f"```csv\n{table}```" in page


@pytest.mark.corpus
def test_a_cohort_is_built_and_described(tmp_path: Path, corpus: Path) -> None:
    """`oncohooks cohort build` and `describe` go from the published tables to rows, deaths and coverage."""
    file = tmp_path / "hancock.parquet"
    built = run([*ONCOHOOKS, "cohort", "build", "hancock", "--data", str(corpus / "cohorts"), "--out", str(file)])
    described = run([*ONCOHOOKS, "cohort", "describe", str(file)])
    assert built.returncode == described.returncode == 0, built.stderr
    assert "763" in described.stdout
    assert "213" in described.stdout
