import gzip
import json
import socket
import tomllib
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from service.cli import main
from tests.unit.service.far_end import BASE, PATIENT, FhirServer, bundle, patient
from tests.unit.service.made_up_patients import AT, chart

COMMANDS = ["serve", "check", "score"]


def run(*arguments: str, network: FhirServer | None = None, width: int = 100) -> Result:
    result = CliRunner(env={"COLUMNS": str(width)}).invoke(main, arguments, obj=network)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def error_of(result: Result) -> str:
    """The one line that tells an error; there is no other."""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.fixture
def two_patients(tmp_path: Path) -> Path:
    file = tmp_path / "two.json.gz"
    file.write_bytes(gzip.compress(json.dumps(bundle(patient("a"), patient("b"))).encode()))
    return file


def test_help_lists_the_commands_without_importing_them() -> None:
    """`oncohooks --help` names every command with a line on it."""
    result = run("--help")
    assert result.exit_code == 0
    for name in [*COMMANDS, "hooks", "mapping", "feedback", "cohort", "model"]:
        assert f"  {name} " in result.output


@pytest.mark.parametrize(
    "name", [*COMMANDS, "mapping", "mapping explain", "mapping coverage", "mapping validate", "mapping catalogue"]
)
def test_every_command_has_help_with_an_example(name: str) -> None:
    """Each command's help says what it does and shows a call."""
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert "Example: " in result.output


@pytest.mark.parametrize("name", ["score", "mapping explain", "mapping coverage"])
def test_help_writes_the_moment_as_it_is_typed(name: str) -> None:
    """`latest` in small letters: capitals are not understood."""
    assert "--at DATE|TIME|latest" in run(*name.split(), "--help").output


def test_the_version_is_the_distributions() -> None:
    """`oncohooks --version` says what pyproject.toml says, installed or not."""
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    assert run("--version").output.split()[-1] == project["version"]


def test_an_unknown_command_is_a_wrong_call() -> None:
    """What is no command ends with 2; one that is like it is told."""
    misspelt, other = run("scroe"), run("xyz")
    assert (misspelt.exit_code, other.exit_code) == (2, 2)
    assert error_of(misspelt) == "Error: no such command 'scroe'; did you mean score? (main --help says more)"
    assert "did you mean" not in error_of(other)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["score"], "give one of --fhir and --bundle"),
        (["score", "--fhir", "http://a", "--bundle", "{file}"], "give one of --fhir and --bundle"),
        (["score", "--fhir", "http://a"], "--fhir needs --patient"),
        (["score", "--fhir", "ftp://a", "--patient", "1"], "--fhir: not of the form"),
        (["score", "--fhir", "http://a", "--patient", "a/b"], "'--patient': not a FHIR id"),
        (["score", "--bundle", "{file}"], "holds 2 patients, name one by --patient: a, b"),
        (["score", "--bundle", "no-such-file"], "'no-such-file' does not exist"),
        (["score", "--bundle", "{file}", "--at", "yesterday"], "neither now, latest, a date"),
        (["serve", "--port", "x"], "'x' is not a valid integer"),
        (["--quiet"], "No such option '--quiet' (main --help says more)"),
        (["score", "--bundl", "x"], "Did you mean '--bundle'? (main score --help says more)"),
        (["mapping", "explain"], "Missing argument 'FILE' (main mapping explain --help says more)"),
        (["cohort", "build"], "Missing argument 'NAME' (main cohort build --help says more)"),
    ],
)
def test_a_wrong_call_is_told_on_one_line(two_patients: Path, arguments: list[str], expected: str) -> None:
    """A wrong call ends with 2 and one line that names the option, the field or the file."""
    result = run(*(argument.replace("{file}", str(two_patients)) for argument in arguments))
    assert result.exit_code == 2
    assert expected in error_of(result)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", b"<html>", "not a JSON object"),
        ("a.json", b"\n", "is empty"),
        ("a.json", b'{"resourceType": 1}', "no resourceType"),
        ("a.json.gz", b"no gzip", "not what gzip writes"),
        ("a.json", b'{"resourceType":"Patient","id":"1","gender":"m\xe4nnlich"}', "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    """A file that is no Bundle is told by its name and why."""
    file = tmp_path / name
    file.write_bytes(content)
    result = run("score", "--bundle", str(file))
    assert result.exit_code == 2
    assert str(file) in error_of(result)
    assert expected in error_of(result)


def test_the_text_is_in_the_language_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By option, else by the site's setting; lines of at most 80 characters."""
    file = tmp_path / "one.json"
    file.write_text(
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"a"}}]}'
    )
    monkeypatch.setenv("ONCOHOOKS_LANGUAGE", "de")
    german, english = (run("score", "--bundle", str(file), *options) for options in ([], ["--language", "en"]))
    assert german.stdout.startswith("Nicht bewertet: ")
    assert english.stdout.startswith("Not scored: ")
    assert max(map(len, german.stdout.splitlines())) <= 80


def test_interactions_are_added_where_they_are_asked_for(tmp_path: Path) -> None:
    """By `--interactions`, to the text and to the assessment object."""
    file = tmp_path / "lung.json"
    file.write_text(json.dumps(bundle(*chart("demo-lung"))))
    call = ("score", "--bundle", str(file), "--at", str(AT.date()))
    assert "Together two inputs" not in run(*call).stdout
    assert "Together two inputs" in run(*call, "--interactions").stdout
    assert "interactions" not in json.loads(run(*call, "--json").stdout)
    pairs = json.loads(run(*call, "--json", "--interactions").stdout)["interactions"]
    assert set(pairs[0]) == {"features", "value"}


def down(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def test_a_server_that_cannot_be_reached_is_3(server: FhirServer) -> None:
    """A FHIR server that is not there ends with 3."""
    server.holds(patient=down)
    result = run("score", "--fhir", BASE, "--patient", PATIENT, network=server)
    assert result.exit_code == 3
    assert error_of(result) == (
        "Error: The FHIR server could not be reached (no connection). Run `oncohooks check`; try again."
    )


def test_an_unknown_patient_is_a_wrong_call(server: FhirServer) -> None:
    """A patient whom the server does not know ends with 2."""
    server.holds(patient=404)
    result = run("score", "--fhir", BASE, "--patient", PATIENT, network=server)
    assert result.exit_code == 2
    assert error_of(result) == (
        "Error: no Patient with this id: check --patient, and that --fhir is the server it belongs to"
    )


@pytest.mark.parametrize("command", [["serve"], ["score", "--bundle", "{file}", "--patient", "a"]])
def test_a_broken_model_package_is_1(
    command: list[str], two_patients: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model package that is not what it says stops the start with one line."""
    monkeypatch.setenv("ONCOHOOKS_MODEL", str(tmp_path))
    result = run(*(argument.replace("{file}", str(two_patients)) for argument in command))
    assert result.exit_code == 1
    assert error_of(result).startswith(f"Error: model {tmp_path}: manifest.json")


@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_wrong_setting_is_named(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt setting stops every command; `check` has a red line for it."""
    monkeypatch.setenv("ONCOHOOKS_AUHT", "off")
    result = run(command)
    assert result.exit_code == {"serve": 2, "check": 1}[command]
    assert "ONCOHOOKS_AUHT: there is no such setting" in result.output


def test_check_ends_by_what_is_worst(server: FhirServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` ends with 1 where something is red, in JSON too."""
    monkeypatch.setenv("ONCOHOOKS_MODEL", str(tmp_path))
    monkeypatch.setenv("ONCOHOOKS_FHIR", BASE)
    server.on("metadata?_elements=fhirVersion,software", down)
    result = run("check", "--json", network=server)
    assert result.exit_code == 1
    states = {line["item"]: line["state"] for line in json.loads(result.stdout)}
    assert (states["model"], states["fhir 1"]) == ("red", "unreachable")


def test_check_says_that_no_site_toml_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site.toml that lies in the current folder is not read: `check` says what to set."""
    told = "no site.toml is read -> set ONCOHOOKS_SITE"
    monkeypatch.setenv("ONCOHOOKS_AUTH", "off")
    assert told in run("check").stdout
    (tmp_path / "site.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    assert told not in run("check").stdout


def test_every_command_of_the_shell_is_one() -> None:
    """The names in the table lead to commands."""
    context = click.Context(main)
    assert isinstance(main, click.Group)
    assert all(isinstance(main.get_command(context, name), click.Command) for name in COMMANDS)


def test_a_state_file_that_cannot_be_opened_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start ends with the setting's name and the reason, without a traceback."""
    monkeypatch.setenv("ONCOHOOKS_STATE__FILE", str(tmp_path))
    result = run("serve", "--port", "0")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: state.file: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_port_in_use_is_one_line() -> None:
    """The start ends with the settings' names, the port and the reason behind the log."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert line.startswith("Error: host, port: ")
    assert str(port) in line
    assert "address already in use" in line


@pytest.mark.parametrize("command", ["score", "mapping explain"])
def test_a_patient_may_be_named_by_address(command: str, two_patients: Path) -> None:
    """As `holds nothing of Patient/a` and the assessment write it."""
    file = ["--bundle", str(two_patients)] if command == "score" else [str(two_patients)]
    said = [run(*command.split(), *file, "--json", "--patient", name) for name in ("b", "Patient/b")]
    assert [json.loads(one.stdout)["patient"] for one in said] == ["Patient/b", "Patient/b"]


def test_a_mistyped_patient_is_no_wrong_patient(tmp_path: Path) -> None:
    """A file that holds nothing of whom is asked for is a wrong call, and raises no alarm."""
    file = tmp_path / "one.json"
    file.write_text(json.dumps(bundle(patient())))
    result = run("score", "--bundle", str(file), "--patient", "nobody")
    assert result.exit_code == 2
    assert "holds nothing of Patient/nobody" in result.stderr
