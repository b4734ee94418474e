from typing import Any

import msgspec
import pytest

from service.abstention import because
from service.assessment import Assessment, PositionShown
from service.attribution import Factor
from service.emergency.change import Change, Range, Update
from service.emergency.updates import MOST_CHANGES, alone, changed_by, says_the_same, updated
from service.notices import notice


def factor(feature: str, value: float, times: float, **members: Any) -> Factor:
    members = {"label": feature.upper(), "effective": "2026-06-30", **members}
    return Factor(feature, relevance=0.0, typical=0.0, factor=times, value=value, **members)


def position(percentile: int = 60, low: int = 20, high: int = 90) -> PositionShown:
    return PositionShown(percentile, low, high, "acute", 500, 25, "unclear")


def scored(*factors: Factor, **members: Any) -> Assessment:
    options: dict[str, Any] = {"status": "scored", "assessed_at": "2026-06-30T08:00:00Z", "position": position()}
    return Assessment(attribution=factors, **{**options, **members})


NOT_SCORED = Assessment(status="abstained", abstained=because("deceased"))


@pytest.mark.parametrize(
    ("before", "now", "changes"),
    [
        ((), (factor("a", 1, 1.5),), [("a", 1.5)]),
        ((factor("a", 1, 1.5),), (), [("a", 0.6667)]),
        ((factor("a", 1, 1.2),), (factor("a", 2, 1.8),), [("a", 1.5)]),
        ((factor("a", 1, 1.2),), (factor("a", 1.1, 1.2),), []),
        ((factor("a", 1, 1.0),), (factor("a", 1, 1.004),), []),
        ((), (factor("b", 2, 1.1), factor("a", 2, 0.5)), [("a", 0.5), ("b", 1.1)]),
        ((), (factor("b", 1, 2.0), factor("a", 1, 2.0)), [("a", 2.0), ("b", 2.0)]),
        ((), (factor("a", 1, 0.0),), [("a", 0.0001)]),
    ],
    ids=["new", "vanished", "corrected", "the same", "not seen", "strongest first", "ties by key", "rounded to zero"],
)  # fmt: skip
def test_what_changed_the_estimate(
    before: tuple[Factor, ...], now: tuple[Factor, ...], changes: list[tuple[str, float]]
) -> None:
    """A change is the factor now by the factor before; what is not there counts as typical."""
    found = changed_by(scored(*before), scored(*now))
    assert found == tuple(Change(feature, feature.upper(), times) for feature, times in changes)


def test_only_the_strongest_changes_are_told() -> None:
    """At most five, by the size of the logarithm."""
    factors = [factor(f"f{number}", 1, 1 + number / 10) for number in range(1, 9)]
    assert [change.feature for change in changed_by(scored(), scored(*factors))] == ["f8", "f7", "f6", "f5", "f4"]
    assert len(factors) > MOST_CHANGES


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, scored(factor("a", 1, 2))),
        (NOT_SCORED, scored(factor("a", 1, 2))),
        (scored(factor("a", 1, 2)), NOT_SCORED),
    ],
)
def test_between_a_score_and_none_nothing_is_compared(before: Assessment | None, now: Assessment) -> None:
    """Only two scores have factors to compare."""
    assert changed_by(before, now) == ()


@pytest.mark.parametrize(
    ("low", "high", "narrowed"), [(30, 80, True), (20, 90, False), (10, 95, False)], ids=["less", "as before", "more"]
)
def test_the_range_is_told_against_the_one_before(low: int, high: int, *, narrowed: bool) -> None:
    """Number, whether it is the last, the position before, and whether the range became narrower."""
    now = updated(scored(), scored(position=position(70, low, high)), 3, final=True)
    assert now.update == Update(3, final=True, previous=Range(60, 20, 90), narrowed=narrowed)


def test_without_a_position_before_there_is_none_to_tell() -> None:
    """Neither of the first answer nor after one that was not scored; absent members are left out."""
    for before in (None, NOT_SCORED):
        assert updated(before, scored(), 1, final=False).update == Update(1, final=False)
    assert msgspec.to_builtins(Update(1, final=False)) == {"number": 1, "final": False}
    assert updated(scored(), NOT_SCORED, 2, final=True).update == Update(2, final=True, previous=Range(60, 20, 90))


def test_an_only_answer_is_changed_by_nothing() -> None:
    """It is the first and the last."""
    second = updated(scored(), scored(factor("a", 1, 2)), 2, final=True)
    assert second.changed_by
    assert alone(second) == msgspec.structs.replace(second, changed_by=(), update=Update(1, final=True))


@pytest.mark.parametrize(
    ("now", "same"),
    [
        (scored(factor("a", 1, 1.2)), True),
        (scored(factor("a", 1.001, 1.2, effective="2026-06-30")), True),
        (scored(factor("a", 2, 1.2)), False),
        (scored(factor("a", 1, 1.2, sources=("Observation/2",))), False),
        (scored(factor("a", 1, 1.2, effective="2026-06-29")), False),
        (scored(factor("a", 1, 1.2), factor("b", 1, 1.0)), False),
        (scored(factor("a", 1, 1.2), position=position(61)), False),
        (scored(factor("a", 1, 1.2), notices=(notice("incomplete"),)), False),
        (scored(factor("a", 1, 1.2), assessed_at="2026-06-30T08:00:01Z", risk_score=0.1), True),
        (NOT_SCORED, False),
    ],
)
def test_what_a_reader_would_not_see_is_no_news(now: Assessment, *, same: bool) -> None:
    """Values with their dates and sources, position, coverage, notices and reason are news; the clock is not."""
    assert says_the_same(scored(factor("a", 1, 1.2)), now) is same


def test_what_is_dated_now_stays_the_same_a_moment_later() -> None:
    """Age and the like are true at the moment of assessment, whichever it is."""
    moments = ("2026-06-30T08:00:00Z", "2026-06-30T08:00:01Z")
    first, second = (scored(factor("age", 70, 1.1, effective=moment), assessed_at=moment) for moment in moments)
    assert says_the_same(first, second)
    assert not says_the_same(None, second)
