"""What two inputs say together, as text."""

from typing import get_args

import msgspec
import pytest

from service.assessment import Assessment, assess
from service.interactions import Interaction
from service.language.sentences import ENGLISH, LanguageCode, language
from service.statement.interactions import interaction_lines
from tests.unit.service.made_up_patients import AT, package, record


def with_pairs(*pairs: Interaction) -> Assessment:
    return msgspec.structs.replace(assess(record("demo-lung"), AT, package()), interactions=pairs)


def test_a_line_a_pair_with_labels_values_and_sign() -> None:
    """First how to read it, then the pairs by the catalogue's labels, each with the patient's value."""
    pairs = Interaction(("stage_uicc_stage", "stage_m1"), -0.1234), Interaction(("entity_nsclc", "stage_m1"), 0.01)
    lines = interaction_lines(with_pairs(*pairs), ENGLISH)
    assert "Associations, not causes" in " ".join(lines[:-2])
    assert lines[-2:] == [
        "  −0.123  UICC stage group (IV) with Distant metastasis (M1)",
        "  +0.010  Non-small cell lung cancer with Distant metastasis (M1)",
    ]


@pytest.mark.parametrize("code", get_args(LanguageCode))
def test_lines_fit_a_terminal(code: LanguageCode) -> None:
    """At most 80 characters, five pairs at most."""
    assessment = assess(record("demo-lung"), AT, package(), with_interactions=True)
    lines = interaction_lines(assessment, language(code))
    assert max(map(len, lines)) <= 80
    assert sum(line.lstrip().startswith(("+", "−")) for line in lines) == 5


def test_pairs_that_say_next_to_nothing_are_told_as_none() -> None:
    """The sentence stands there also where the network has no interactions at all."""
    faint = Interaction(("stage_uicc_stage", "stage_m1"), 0.0049)
    assert interaction_lines(with_pairs(faint), ENGLISH) == interaction_lines(with_pairs(), ENGLISH)
    assert interaction_lines(with_pairs(), ENGLISH)[0].startswith("No two of the inputs")


def test_without_a_score_nothing_is_said() -> None:
    """An abstention has no interactions and no sentence about them."""
    assert interaction_lines(assess(record("demo-sparse"), AT, package()), ENGLISH) == []
