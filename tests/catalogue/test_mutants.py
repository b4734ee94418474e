"""A few mutants of each kind; all of them by `python -m tests.mutation`."""

from random import Random

from tests.catalogue.all_checks import all_checks
from tests.mutation.job import explanations, outcomes
from tests.mutation.mutants import Mutant, mutants

_A_KIND = 7


def test_a_changed_catalogue_is_noticed() -> None:
    """Sixty changes drawn from all: none lives unexplained."""
    drawn = _drawn(mutants())
    living = [str(o.mutant) for o in outcomes(drawn, all_checks()) if o.lives and not o.reason]
    assert (len(drawn) >= 60, living) == (True, [])


def test_every_explained_survivor_is_a_mutant_with_a_reason() -> None:
    """The list of survivors holds no line that the job cannot print."""
    names = {str(mutant) for mutant in mutants()}
    assert [name for name, reason in explanations() if name not in names or len(reason) < 20] == []


def _drawn(every: list[Mutant]) -> list[Mutant]:
    by_operator: dict[str, list[Mutant]] = {}
    for mutant in every:
        by_operator.setdefault(mutant.operator, []).append(mutant)
    random = Random(1)  # noqa: S311 - a sample
    return [mutant for group in by_operator.values() for mutant in random.sample(group, min(_A_KIND, len(group)))]
