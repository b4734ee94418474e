"""Pages that show commands with what they print: each block of them run anew."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.conftest import ROOT

_BLOCK = re.compile(r"^```\n(\$ .*?)^```$", re.DOTALL | re.MULTILINE)


def refreshed(page: str, printed: Callable[[str], str]) -> str:
    """The page with every block of commands followed by what each of them prints."""

    def session(block: re.Match[str]) -> str:
        commands = [line.removeprefix("$ ") for line in block[1].splitlines() if line.startswith("$ ")]
        return "".join(["```\n", *(f"$ {command}\n{printed(command)}" for command in commands), "```"])

    return _BLOCK.sub(session, page)


def in_shell(
    command: str, *, folder: Path = ROOT, environment: Mapping[str, str] = os.environ, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command as a page shows it, on a terminal of 100 columns; `oncohooks` is this checkout's."""
    shell = f'oncohooks() {{ "{sys.executable}" -m service.cli "$@"; }}\n{command}'
    shown = {**environment, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-c", shell], cwd=folder, env=shown, capture_output=True, text=True, timeout=120, check=check
    )
