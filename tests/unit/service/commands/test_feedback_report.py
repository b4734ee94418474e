"""`oncohooks feedback report`."""

import json
from pathlib import Path

import pytest

from tests.unit.service.commands.test_cli import error_of, run
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import HOOK, full_prefetch


@pytest.fixture
def file(tmp_path: Path, calling: MakeCaller, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state of a service that has shown two cards and been told of one."""
    file = tmp_path / "state.sqlite"
    caller = calling(state={"file": str(file)})
    caller.hook(prefetch=full_prefetch())
    (card,) = caller.hook(prefetch=full_prefetch(), fhirServer="https://fhir.example/r4").json()["cards"]
    reason = {"code": "out-of-scope", "system": "urn:oncohooks:override-reason"}
    entry = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2022-05-19T19:44:04Z"}
    feedback = {"feedback": [{**entry, "overrideReason": {"reason": reason}}]}
    assert caller.request("POST", f"{HOOK}/feedback", json=feedback).status_code == 200
    monkeypatch.setenv("ONCOHOOKS_STATE__FILE", str(file))
    return file


@pytest.mark.usefixtures("file")
def test_the_report_counts_what_the_service_kept() -> None:
    """As text and as JSON, for as many weeks as asked."""
    result = run("feedback", "report")
    assert result.exit_code == 0
    assert "1 Not applicable to this patient" in result.stdout
    found = json.loads(run("feedback", "report", "--json", "--weeks", "2").stdout)
    assert (found["total"]["cards"], found["total"]["overridden"]) == (2, 1)
    assert len(found["weeks"]) == 2
    assert [line["key"] for line in found["factors"]] == ["none"]


def test_a_service_that_keeps_nothing_has_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without shared state, or without the file that is named, the call is wrong, and no file is made."""
    result = run("feedback", "report")
    assert (result.exit_code, error_of(result).partition(":")[0]) == (2, "Error")
    assert "set state.redis or state.file" in error_of(result)
    monkeypatch.setenv("ONCOHOOKS_STATE__FILE", str(tmp_path / "none.sqlite"))
    result = run("feedback", "report")
    assert (result.exit_code, error_of(result)) == (2, f"Error: state.file: no file {tmp_path / 'none.sqlite'}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_told(file: Path) -> None:
    """A file that is no SQLite file ends with 2 and one line that names the setting."""
    for part in file.parent.iterdir():
        part.unlink()
    file.write_text("no database at all " * 50)
    result = run("feedback", "report")
    assert (result.exit_code, error_of(result)) == (2, f"Error: state.file: {file}: file is not a database")


def test_help_shows_an_example() -> None:
    """The group and its command say what they do."""
    assert "report" in run("feedback", "--help").stdout
    assert "Example: " in run("feedback", "report", "--help").stdout
    assert run("feedback", "report", "--weeks", "0").exit_code == 2
