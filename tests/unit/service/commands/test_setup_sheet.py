import json
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner, Result

from service.cds_hooks.services import discovery
from service.cli import main
from service.ehr_settings import DialectName
from service.quiet_settings import RestrictedRecords
from service.site_queries import site_queries

SITE = """
public_url = "https://oncohooks.hospital.example"
cors_origins = ["https://portal.hospital.example"]
[[fhir]]
url = "https://fhir.hospital.example/r4"
[[client]]
issuer = "https://epic.hospital.example"
jwks_url = "https://epic.hospital.example/jwks.json"
dialect = "epic"
label = "epic-main"
tenants = ["north"]
token_minutes = 20
[restricted]
flags = ["urn:x|vip"]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of site.toml."""
    (tmp_path / "site.toml").write_text(SITE)
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["hooks", "setup-sheet", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def sheet(dialect: str) -> dict[str, Any]:
    result = run("--dialect", dialect, "--json")
    assert result.exit_code == 0
    read: dict[str, Any] = json.loads(result.stdout)
    return read


@pytest.mark.usefixtures("site")
def test_the_sheet_says_what_discovery_says() -> None:
    """Addresses, feedback addresses and templates are those of discovery, with what this site asks for besides."""
    read = sheet("epic")
    queries = site_queries(RestrictedRecords(flags=("urn:x|vip",)))
    (first, *_) = described = discovery(queries).services
    assert [one["id"] for one in read["services"]] == [one.id for one in described]
    assert {template["key"]: template["query"] for template in read["templates"]} == first.prefetch
    by_hand = [template["key"] for template in read["templates"] if template["byHand"]]
    assert by_hand == [query.key for query in queries if query.by_hand]
    assert ("flags" in by_hand, len(by_hand)) == (True, 9)
    addresses = [(one["address"], one["feedback"]) for one in read["services"]]
    base = "https://oncohooks.hospital.example/cds-services/pan-cancer-prognosis"
    assert addresses[0] == (base, f"{base}/feedback")


@pytest.mark.usefixtures("site")
def test_the_text_for_epic_has_all_that_is_typed_in() -> None:
    """Templates worth typing in full, the registration, topics, reasons, and no hook that Epic does not call."""
    text, read = run("--dialect", "epic").stdout, sheet("epic")
    for template in read["templates"]:
        assert (f"```\n{template['query']}\n```" in text) == template["byHand"]
    assert (
        "| epic-main | `https://epic.hospital.example` | `https://epic.hospital.example/jwks.json` | north | 20 min |"
        in text
    )
    for word in (
        "OncohooksWrongPatient",
        "`not-my-role`",
        "https://portal.hospital.example",
        "fhir.hospital.example/r4",
    ):
        assert word in text
    assert "| encounter-start |" not in text
    assert "oncohooks hooks lint-discovery https://oncohooks.hospital.example/cds-services --key" in text
    assert "Still to be set" not in text


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("dialect", get_args(DialectName))
def test_each_kind_of_ehr_has_a_sheet(dialect: str) -> None:
    """With what is odd about it; what is missing at our side is said first."""
    text = run("--dialect", dialect).stdout
    assert text.startswith(f"# Set-up sheet, {dialect}\n")
    assert ("Still to be set at our side" in text) == (dialect != "epic")
    assert ("Discovery has the templates" in text) == (dialect in {"spec", "sandbox"})
    for part in ("## Addresses", "## Tokens", "## Prefetch", "## To know", "## What to test first"):
        assert part in text


def test_without_an_address_there_is_no_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which setting is missing, and ends with 1."""
    monkeypatch.setenv("ONCOHOOKS_AUTH", "off")
    result = run("--dialect", "spec")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: public_url: is not set")


def test_a_sandbox_without_tokens_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to sign, and the commands to test with have no key; who may call stands first."""
    monkeypatch.setenv("ONCOHOOKS_AUTH", "off")
    monkeypatch.setenv("ONCOHOOKS_PUBLIC_URL", "http://127.0.0.1:8000")
    text = run("--dialect", "sandbox").stdout
    assert 'auth = "off": anybody may call' in text
    assert "None are asked for." in text
    assert "--key" not in text
    assert 'dialect = "sandbox": all callers are answered as spec' in text


@pytest.mark.usefixtures("site")
def test_templates_are_those_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """With CDS Hooks 3.0 they reckon with dates, as discovery does."""
    monkeypatch.setenv("ONCOHOOKS_CDS_HOOKS_VERSION", "3.0")
    assert any("{{today() - " in template["query"] for template in sheet("epic")["templates"])
