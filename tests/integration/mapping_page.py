"""`python -m tests.integration.mapping_page`: the example of docs/mapping.md, and what its commands print.

And what those of docs/overlay.md and docs/own-cohort.md print.
"""

import gzip
import json
import tempfile
from datetime import date
from pathlib import Path

from demo.patients import demo_patients
from tests.conftest import ROOT
from tests.integration import shown_commands
from tests.integration.shown_commands import in_shell

PAGE, OVERLAY_PAGE = ROOT / "docs" / "mapping.md", ROOT / "docs" / "overlay.md"
COHORT_PAGE = ROOT / "docs" / "own-cohort.md"
EXAMPLE = ROOT / "docs" / "example-patients.ndjson.gz"
_DAY = date(2026, 6, 30)  # the `--at` of the page


def example() -> str:
    """The demonstration patients of one day, one resource a line."""
    resources = [resource for chart in demo_patients(_DAY).values() for resource in chart]
    return "\n".join(json.dumps(resource, separators=(",", ":")) for resource in resources)


def refreshed(page: str) -> str:
    """The page with what its commands print. They run beside `docs`, in a folder of their own: some write files."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "docs").symlink_to(ROOT / "docs")
        return shown_commands.refreshed(page, lambda command: in_shell(command, folder=Path(folder)).stdout)


if __name__ == "__main__":
    EXAMPLE.write_bytes(gzip.compress(example().encode(), mtime=0))
    for page in (PAGE, OVERLAY_PAGE, COHORT_PAGE):
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
