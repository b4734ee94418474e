"""Broken resources among whole ones: many by one command, some here."""

from pathlib import Path

import pytest

from tests.property.mutated_resources import charts, run
from tests.property.mutations import OPERATORS

pytestmark = pytest.mark.corpus


def test_a_broken_resource_is_used_or_told_and_costs_no_other(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 2,000 mutants nothing is raised, nothing dropped without an issue, none is slow; the counts are printed."""
    tally = run(charts(corpus), 2_000)
    with capsys.disabled():
        print("\n" + "\n".join(tally.lines()))  # noqa: T201
    assert tally.faults == []
    assert tally.mutants.keys() == {operator.__name__ for operator in OPERATORS}
    for name in tally.mutants:
        assert len({what for operator, what in tally.became if operator == name}) >= 2, name
