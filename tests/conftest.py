"""What every test may ask for: the published data, where they are."""

import gc
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IN_CI = os.environ.get("CI", "").lower() == "true"
CORPUS = os.environ.get("ONCOHOOKS_CORPUS", str(ROOT.parent / "shared" / "data"))


gc.set_threshold(100_000, 50, 50)  # the suite allocates much and keeps little: collecting seldom saves seconds


def pytest_collection_finish() -> None:
    """What was imported and collected stays; the collector need not look at it again."""
    gc.freeze()


def pytest_report_header() -> str:
    """The first lines of every run say which published data it has."""
    return f"corpus: {'none, its tests do not run' if not _corpus_exists() else CORPUS}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the corpus tests where there is no corpus; with CI=true only ONCOHOOKS_CORPUS=none allows that."""
    if _corpus_exists():
        return
    wanted = [item for item in items if item.get_closest_marker("corpus")]
    if wanted and IN_CI and CORPUS != "none":
        pytest.exit(f"ONCOHOOKS_CORPUS: {CORPUS} is not there, and CI=true allows no skip (say none)", returncode=1)
    for item in wanted:
        item.add_marker(pytest.mark.skip(reason=f"published data not at ONCOHOOKS_CORPUS ({CORPUS})"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder with cohorts/ and fhir/."""
    return Path(CORPUS)


def _corpus_exists() -> bool:
    return CORPUS != "none" and (Path(CORPUS) / "fhir").is_dir()
