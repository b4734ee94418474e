"""`python -m tests.integration.mapping_page`: the example of docs/mapping.md, and what its commands print.

And what those of docs/overlay.md and docs/own-cohort.md print.
"""

import gzip
import json
import os
import re
import subprocess
import sys
from datetime import date

from demo.patients import demo_patients
from tests.conftest import ROOT

PAGE, OVERLAY_PAGE = ROOT / "docs" / "mapping.md", ROOT / "docs" / "overlay.md"
COHORT_PAGE = ROOT / "docs" / "own-cohort.md"
EXAMPLE = ROOT / "docs" / "example-patients.ndjson.gz"
_DAY = date(2026, 6, 30)  # the `--at` of the page
_BLOCK = re.compile(r"^```\n(\$ .*?)^```$", re.DOTALL | re.MULTILINE)


def example() -> str:
    """The demonstration patients of one day, one resource a line."""
    resources = [resource for chart in demo_patients(_DAY).values() for resource in chart]
    return "\n".join(json.dumps(resource, separators=(",", ":")) for resource in resources)


def refreshed(page: str) -> str:
    """The page with every block of commands followed by their output, as on a terminal of 100 columns."""
    return _BLOCK.sub(lambda block: f"```\n{_session(block[1])}```", page)


def _session(block: str) -> str:
    commands = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"$ {command}\n{_output(command)}" for command in commands)


def _output(command: str) -> str:
    shell = f'oncohooks() {{ "{sys.executable}" -m service.cli "$@"; }}\n{command}'
    environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        ["bash", "-c", shell], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


if __name__ == "__main__":
    EXAMPLE.write_bytes(gzip.compress(example().encode(), mtime=0))
    for page in (PAGE, OVERLAY_PAGE, COHORT_PAGE):
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
