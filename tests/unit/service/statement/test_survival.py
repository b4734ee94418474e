"""The survival figure in words."""

from typing import Any

import msgspec
import pytest

from service.assessment import Assessment, SurvivalBasis, SurvivalShown, assess
from service.language.sentences import ENGLISH, language
from service.statement.statement import Paragraph, statement_of
from service.statement.summary import SUMMARY_LIMIT
from service.statement.survival import figures_of
from service.survival import Withheld, withheld
from tests.unit.service.made_up_patients import AT, package, record

GERMAN = language("de")
YEAR = SurvivalShown(365, 0.384, 0.301, 0.469)


def assessment(**changes: Any) -> Assessment:
    figure = {"survival": (YEAR,), "survival_basis": SurvivalBasis(412, "tcga", 32), "survival_withheld": None}
    return msgspec.structs.replace(assess(record("demo-lung"), AT, package()), **(figure | changes))


def said(of: Assessment, texts: Any = ENGLISH) -> str:
    heading = texts.say("survival-heading")
    parts = statement_of(of, texts).parts
    return "".join(part.text for part in parts if isinstance(part, Paragraph) and part.heading == heading)


def test_a_figure_is_of_100_alive_and_died_with_what_it_rests_on() -> None:
    """One horizon, whole numbers, the range, the time already survived, the patients behind it, and its limit."""
    assert said(assessment()) == (
        "Of 100 patients with a similar record, about 38 (30–47) were alive and about 62 had died 12 months after the "
        "point that this patient has reached (32 days after diagnosis). Basis: 412 such patients in the training data, "
        "over time as in TCGA (diagnosed 1999–2013, mostly in the United States). Where this patient will stand among "
        "the 100 cannot be known."
    )
    assert said(assessment(), GERMAN).startswith(
        "Von 100 Personen mit ähnlichen Befunden lebten 12 Monate nach dem Zeitpunkt, den diese Person erreicht hat "
        "(32 Tage nach Diagnose), etwa 38 (30–47), etwa 62 waren verstorben. Grundlage: 412 solche Personen"
    )


def test_on_the_first_day_the_clock_is_that_of_the_reference_patients() -> None:
    """Nothing was survived yet."""
    today = assessment(survival_basis=SurvivalBasis(412, "tcga", 0))
    assert "had died 12 months after diagnosis. Basis" in said(today)


@pytest.mark.parametrize(
    ("probability", "alive", "dead"), [(0.0, "1", "99"), (0.004, "1", "99"), (0.996, "99", "1"), (1.0, "99", "1")]
)
def test_nobody_and_everybody_are_never_estimated(probability: float, alive: str, dead: str) -> None:
    """The two numbers add up to 100, and the range holds the estimate."""
    found = figures_of(SurvivalShown(180, probability, probability, probability), ENGLISH)
    assert (found["alive"], found["dead"], found["horizon"]) == (alive, dead, "6 months")
    assert int(found["low"]) <= int(alive) <= int(found["high"])


def test_a_reason_is_said_in_the_readers_language() -> None:
    """A code of ours by its words, another one by its own text; a site that shows none says nothing."""
    none: dict[str, Any] = {"survival": (), "survival_basis": None}
    pregnant = assessment(**none, survival_withheld=withheld("pregnancy"))
    assert said(pregnant) == "No figure: a pregnancy is recorded."
    assert said(pregnant, GERMAN) == "Keine Angabe: Eine Schwangerschaft ist dokumentiert."
    assert said(assessment(**none, survival_withheld=Withheld("new", "of a new kind."))) == "No figure: of a new kind."
    assert said(assessment(**none, survival_withheld=withheld("switched-off"))) == ""


def test_the_summary_holds_the_figure_only_where_it_is_asked_for() -> None:
    """In both languages it fits into the line; a preliminary result keeps its warning instead."""
    for texts in (ENGLISH, GERMAN):
        with_figure = statement_of(assessment(), texts, in_summary=True).summary
        assert "38 " in with_figure
        assert "(30–47)" in with_figure
        assert len(with_figure) <= SUMMARY_LIMIT
        assert "(30–47)" not in statement_of(assessment(), texts).summary
    partial = assess(record("demo-lung", state="partial"), AT, package())
    partial = msgspec.structs.replace(partial, survival=(YEAR,), survival_basis=SurvivalBasis(412, "tcga", 32))
    assert statement_of(partial, ENGLISH, in_summary=True).summary.startswith("Preliminary")
