"""The report: counts of what clinicians did with cards."""

from datetime import date, timedelta

import msgspec

from service.feedback_report import Line, Report, as_text, first_day, report_of
from service.state.feedback import CardIssued, FeedbackGiven, Kept, Outcome

TODAY = date(2026, 11, 26)  # a Thursday, 2026-W48
EHR = "https://ehr.example"


def card(uuid: str, day: date = TODAY, entity: str = "entity_nsclc", factor: str = "lab_albumin") -> CardIssued:
    return CardIssued(uuid, day, "pan-cancer-prognosis", EHR, entity, factor)


def given(uuid: str, reason: str | None = None, day: date = TODAY, client: str = EHR) -> FeedbackGiven:
    """Accepted, unless there is a reason (which may be empty)."""
    outcome: Outcome = "accepted" if reason is None else "overridden"
    return FeedbackGiven(
        uuid, outcome, f"{day}T10", day, TODAY, "pan-cancer-prognosis", client, reason or "", "Mrs Canary"
    )


def counts(line: Line) -> tuple[str, int, int, int]:
    return line.key, line.cards, line.accepted, line.overridden


CARDS = (card("a"), card("b"), card("c", factor="lab_hemoglobin"), card("d", entity="", factor=""))
GIVEN = (given("a"), given("b", "disagree"), given("b", "disagree"), given("c", ""), given("x", "http://e|c1"))


def report(
    cards: tuple[CardIssued, ...] = CARDS, feedback: tuple[FeedbackGiven, ...] = GIVEN, weeks: int = 2
) -> Report:
    return report_of(Kept(cards, feedback), TODAY, weeks)


def test_the_weeks_are_isos_and_none_is_left_out() -> None:
    """From the newest back, across the turn of the year."""
    assert first_day(TODAY, 1) == date(2026, 11, 23)
    assert first_day(TODAY, 12) == date(2026, 9, 7)
    weeks = report_of(Kept((), ()), date(2027, 1, 6), 3).weeks
    assert [counts(line) for line in weeks] == [("2027-W01", 0, 0, 0), ("2026-W53", 0, 0, 0), ("2026-W52", 0, 0, 0)]


def test_cards_and_feedback_are_counted_by_week() -> None:
    """Feedback for the week in which the user acted, reasons by how often they were given."""
    last_week = TODAY - timedelta(7)
    found = report((*CARDS, card("e", last_week)), (*GIVEN, given("e", "not-my-role", last_week)))
    assert [counts(line) for line in found.weeks] == [("2026-W48", 4, 1, 4), ("2026-W47", 1, 0, 1)]
    assert [(r.key, r.text, r.count) for r in found.weeks[0].reasons] == [
        ("disagree", "I disagree with the estimate", 2),
        ("none", "no reason given", 1),
        ("http://e|c1", "http://e|c1", 1),
    ]
    assert counts(found.total) == ("total", 5, 1, 5)


def test_a_card_shown_again_in_a_week_is_one_card() -> None:
    """And in the next week it is shown anew."""
    shown = (card("a"), card("a", TODAY - timedelta(1)), card("a", TODAY - timedelta(7)))
    found = report(shown, ())
    assert [line.cards for line in found.weeks] == [1, 1]
    assert found.total.cards == 2


def test_cards_of_shadow_mode_are_counted_apart() -> None:
    """Nobody saw them: they stand in no group, and the text says how many there were."""
    found = report((*CARDS, card("shadow:a"), card("shadow:z")))
    assert (found.total.cards, found.shadow) == (4, 2)
    assert "In shadow mode 2 more were computed and not shown." in as_text(found)
    assert "shadow" not in as_text(report())


def test_groups_have_labels_and_the_largest_comes_first() -> None:
    """Leading factors and cancer types by the catalogue's labels; cards without one, and cards not known, apart."""
    found = report()
    assert [counts(line) for line in found.factors] == [
        ("lab_albumin", 2, 1, 2),
        ("lab_hemoglobin", 1, 0, 1),
        ("none", 1, 0, 0),
        ("unknown-card", 0, 0, 1),
    ]
    assert [(line.key, line.cards) for line in found.entities] == [
        ("entity_nsclc", 3),
        ("none", 1),
        ("unknown-card", 0),
    ]
    assert found.entities[0].label == "Non-small cell lung cancer"


def test_older_cards_count_for_their_feedback_only() -> None:
    """Feedback on a card from before is told by the card's factor; the card itself is not counted again."""
    found = report((card("a", TODAY - timedelta(100)),), (given("a"),))
    assert [counts(line) for line in found.factors] == [("lab_albumin", 0, 1, 0)]
    assert found.total.cards == 0


def test_another_clients_feedback_is_not_the_cards() -> None:
    """Only the client that was shown a card can say what became of it."""
    found = report((card("a"),), (given("a", client="https://other.example"),))
    assert [counts(line) for line in found.factors] == [("lab_albumin", 1, 0, 0), ("unknown-card", 0, 1, 0)]


def test_the_text_has_every_count_and_no_comment() -> None:
    """Small numbers stand as they are; what was typed is nowhere, in JSON neither."""
    text = as_text(report())
    assert "2026-W48         4        1 of 5           4  2 I disagree with the estimate; 1 no reason" in text
    assert "all weeks        4        1 of 5           4  2 I disagree with the estimate; 1 no reason" in text
    assert "Albumin" in text
    assert "card not known here" in text
    assert "Canary" not in text
    assert b"Canary" not in msgspec.json.encode(report())
