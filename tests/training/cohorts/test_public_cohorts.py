"""What has to be said of every public cohort."""

from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS, TIME_ZERO
from models.training.sources import SOURCES
from tests.conftest import ROOT


def test_every_cohort_has_a_time_zero_a_licence_and_a_row() -> None:
    """Twelve cohorts; none can be built, trained on or read about without these."""
    assert len(PUBLIC_COHORTS) == 12
    assert TIME_ZERO.keys() == PUBLIC_COHORTS.keys()
    assert PUBLIC_COHORTS.keys() <= SOURCES.keys()
    assert "support2_without_cancer" in SOURCES
    document = (ROOT / "docs/cohorts.md").read_text(encoding="utf-8")
    for name in PUBLIC_COHORTS:
        assert f"\n| {name} | " in document
        assert f"\n## {name}\n" in document
