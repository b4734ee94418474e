"""docs/unit-errors.md says what it must, and what is true."""

import re
from pathlib import Path

import pytest

from tests.catalogue.unit_errors import COHORTS, DOCUMENT, false_alarms, figures, line, measurable


def _named(part: str) -> set[str]:
    return set(re.findall(r"`([a-z]+_\w+)`", part))


def test_every_measurable_parameter_is_in_the_document() -> None:
    """With figures, or among those that no cohort holds; none in both, none that does not exist."""
    table, _, rest = DOCUMENT.read_text(encoding="utf-8").partition("## Never caught")
    measured, without = _named(table), _named(rest.partition("## Not measured")[2])
    assert measured | without == {feature.key for feature in measurable()}
    assert measured & without == set()


@pytest.mark.corpus
@pytest.mark.parametrize(("cohort", "key"), [("nhanes", "lab_crp"), ("support2", "lab_creatinine")])
def test_figures_of_the_document_are_true(corpus: Path, cohort: str, key: str) -> None:
    """Measured again: the lines of one parameter of a cohort."""
    file, columns = COHORTS[cohort]
    again = figures(corpus / "cohorts", {cohort: (file, {key: columns[key]})})
    written = DOCUMENT.read_text(encoding="utf-8")
    assert [line(f) for f in again if line(f) not in written] == []
    assert len(again) >= 2


@pytest.mark.corpus
def test_false_alarms_of_the_document_are_true(corpus: Path) -> None:
    """Measured again in one cohort."""
    alarms, patients = false_alarms(corpus / "cohorts", "hancock")
    assert f"{alarms} of {patients:,} in hancock" in " ".join(DOCUMENT.read_text(encoding="utf-8").split())
