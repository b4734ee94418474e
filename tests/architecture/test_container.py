"""Dockerfile and compose.yaml, as far as they can be judged without an engine."""

import re

import pytest
import yaml

from service.settings import Settings
from tests.architecture.tree import ROOT, complaints, project

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_hadolint_finds_nothing() -> None:
    """The Dockerfile passes hadolint without an exception."""
    assert complaints("hadolint", "Dockerfile") == ""
    assert "hadolint ignore" not in DOCKERFILE


def test_the_image_holds_what_is_shipped() -> None:
    """The image holds the packages of the wheel, the run set and the licence, and .dockerignore lets in just those."""
    packages = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = re.findall(r"^COPY (?!--)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert sorted(copied) == sorted([*packages, "requirements/run.txt", "LICENSE"])
    assert all((ROOT / path).exists() for path in copied)
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(let_in) == sorted(copied)


def test_the_image_cannot_change_itself() -> None:
    """The last stage ends as a user that is not root, and keeps no installer."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["65532:65532"]
    assert re.search(r"^RUN rm -rf /usr/local/bin/pip\*", last, re.MULTILINE)
    assert not re.search(r"^RUN .*(pip install|apt-get)", last, re.MULTILINE)


def test_the_image_has_the_projects_version() -> None:
    """The image's label says the version of pyproject.toml."""
    assert re.findall(r"^ARG VERSION=(.+)$", DOCKERFILE, re.MULTILINE) == [project()["project"]["version"]]


def test_compose_satisfies_its_specification() -> None:
    """compose.yaml satisfies the compose specification's schema."""
    assert complaints("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml") == ""


def test_the_sandbox_is_closed_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """compose.yaml turns authentication off in words the service knows, so it publishes ports to this machine only."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name, value in services["oncohooks"]["environment"].items():
        monkeypatch.setenv(name, value)
    assert Settings.read().auth == "off"
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
