"""When no card is better: the policy alone."""

from typing import Any

import msgspec
import pytest

from fhir_mappings.finding import Issue
from fhir_mappings.record import Retrieval, State
from service.abstention import Abstained
from service.assessment import Assessment, Entity, PositionShown
from service.cds_hooks.quiet import Before, Reader, Silence, is_material, shown_of, silence
from service.coverage import Coverage
from service.quiet_settings import QuietRules

KEY = b"k" * 32
ONCOLOGIST = Reader(frozenset({"s|doctor"}), frozenset({"s|oncology"}))
NURSE = Reader(frozenset({"s|nurse"}), frozenset({"s|surgery"}))
SCORED = Assessment(
    status="scored",
    entity=Entity("entity_nsclc", "Lung cancer"),
    position=PositionShown(60, 40, 80, "nsclc", 100, 40, "about as usual"),
    coverage=Coverage(50, 120, 313, {}),
)


def abstained(code: str, **members: Any) -> Assessment:
    return Assessment(status="abstained", abstained=Abstained(code, "", ""), **members)


def moved(percentile: int = 60, observed: int = 50, category: str = "about as usual") -> Assessment:
    position = PositionShown(percentile, 40, 80, "nsclc", 100, 40, category)
    return msgspec.structs.replace(SCORED, position=position, coverage=Coverage(observed, 120, 313, {}))


def unread(key: str, state: State = "failed") -> Assessment:
    return msgspec.structs.replace(SCORED, retrieval=(Retrieval(key, "search", state),))


FIRST = Before()
SOMEBODY = Reader()


def why(assessment: Assessment, before: Before = FIRST, reader: Reader = SOMEBODY, **rules: Any) -> Silence | None:
    return silence(assessment, before, reader, QuietRules(**rules), KEY)


NO_TUMOUR = abstained("no-solid-tumour")
SEEN = Before(shown_of(SCORED, KEY), snoozed=True)
EVERY_RULE: dict[str, Any] = {
    "no_tumour": True, "repeat": "changed", "roles": ("s|doctor",), "specialities": ("s|oncology",), "shadow": True,
}  # fmt: skip


def test_every_card_is_shown_unless_the_site_says_otherwise() -> None:
    """Without rules there is no silence, whoever reads and whatever was seen before."""
    for assessment in (SCORED, NO_TUMOUR, abstained("under-18")):
        assert why(assessment, Before(shown_of(assessment, KEY)), NURSE) is None


def test_a_warning_about_another_patient_is_never_silent() -> None:
    """Not even in shadow mode, to a reader who has set it aside and has no role here."""
    assert why(abstained("foreign-patient"), SEEN, NURSE, **EVERY_RULE) is None


@pytest.mark.parametrize(
    ("assessment", "silent"),
    [
        (NO_TUMOUR, True),
        (abstained("under-18"), True),
        (abstained("under-18", entity=SCORED.entity), False),
        (abstained("tumour-inactive"), False),
        (abstained("too-little"), False),
        (SCORED, False),
        (abstained("no-solid-tumour", retrieval=(Retrieval("laboratory", "search", "failed"),)), True),
        (abstained("no-solid-tumour", retrieval=(Retrieval("conditions", "prefetch", "partial"),)), False),
        (abstained("no-solid-tumour", issues=(Issue("warning", "unreadable", "", "Condition/1"),)), False),
        (abstained("no-solid-tumour", issues=(Issue("warning", "unreadable", "prefetch conditions"),)), False),
        (abstained("no-solid-tumour", issues=(Issue("warning", "unreadable", "", "Observation/1"),)), True),
    ],
)
def test_no_known_tumour_is_silent_where_diagnoses_were_read(assessment: Assessment, *, silent: bool) -> None:
    """No card where no solid tumour is known; where a diagnosis may be in what was not read, the card is shown."""
    assert (why(assessment, no_tumour=True) is Silence.NO_TUMOUR) == silent


def test_who_is_known_to_be_somebody_else_sees_no_card() -> None:
    """Roles and specialities each for themselves; of whom nothing is known sees the card."""
    both: dict[str, Any] = {"roles": ("s|doctor", "s|x"), "specialities": ("s|oncology",)}
    assert why(SCORED, reader=ONCOLOGIST, **both) is None
    assert why(SCORED, reader=NURSE, **both) is Silence.ROLE
    assert why(SCORED, reader=NURSE, specialities=("s|oncology",)) is Silence.SPECIALITY
    assert why(SCORED, **both) is None
    assert why(SCORED, reader=Reader(roles=ONCOLOGIST.roles), **both) is None


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (SCORED, False),
        (moved(percentile=69), False),
        (moved(percentile=50), True),
        (moved(observed=59), False),
        (moved(observed=40), True),
        (moved(category="unclear"), True),
        (msgspec.structs.replace(SCORED, entity=Entity("entity_breast", "")), True),
        (unread("laboratory"), True),
        (abstained("deceased", coverage=SCORED.coverage), True),
    ],
)
def test_a_seen_card_returns_when_something_material_changes(now: Assessment, *, changed: bool) -> None:
    """Position and inputs by the site's figures, in either direction; what kind of answer it is in any case."""
    seen = Before(shown_of(SCORED, KEY))
    assert why(now, seen, repeat="changed") is (None if changed else Silence.UNCHANGED)
    assert why(now, seen) is None
    assert why(now, repeat="changed") is None


def test_the_figures_are_the_sites() -> None:
    """The smallest change that counts can be set."""
    rules = QuietRules(position_points=3, coverage_inputs=2)
    old = shown_of(SCORED, KEY)
    assert [is_material(old, shown_of(moved(percentile=p), KEY), rules) for p in (62, 63)] == [False, True]
    assert [is_material(old, shown_of(moved(observed=n), KEY), rules) for n in (51, 52)] == [False, True]


def test_a_part_that_stays_unread_is_no_change() -> None:
    """A fault that the reader was told of is not told again; another one is."""
    seen = Before(shown_of(unread("laboratory"), KEY))
    assert why(unread("laboratory"), seen, repeat="changed") is Silence.UNCHANGED
    assert why(unread("genetics"), seen, repeat="changed") is None


def test_shadow_silences_what_nothing_else_does() -> None:
    """In shadow mode the reasons say how many cards would have been shown."""
    assert why(SCORED, shadow=True) is Silence.SHADOW
    assert why(NO_TUMOUR, shadow=True, no_tumour=True) is Silence.NO_TUMOUR
    assert why(SCORED, Before(snoozed=True), shadow=True) is Silence.SNOOZED


def test_what_is_remembered_says_nothing_without_the_key() -> None:
    """Cancer type and category cannot be guessed from their hash."""
    assert shown_of(SCORED, KEY).picture != shown_of(SCORED, b"x" * 32).picture
    assert shown_of(SCORED, KEY) == shown_of(SCORED, KEY)
