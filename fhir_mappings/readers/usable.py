"""Whether an Observation may be read at all, and when it was true of the patient."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from fhir_mappings.finding import Issue
from fhir_mappings.resources.r4 import Component, Observation
from fhir_mappings.timing import days_between, instant, seconds

# Amended and corrected results replace final ones; a preliminary one serves until the final is there, and is marked.
STATUS_RANK: Mapping[str, int] = {"amended": 2, "corrected": 2, "final": 1, "preliminary": 0}
MARKS: Mapping[str, tuple[str, ...]] = {"preliminary": ("preliminary",)}
_OTHER_STATUS = frozenset({"registered", "cancelled", "entered-in-error", "unknown"})

# A sample quality that changes the result (MII Labor: modifierExtension "interpretationsbeeinflussende Eigenschaft").
_HAEMOLYSED = "118128002"
KNOWN_QUALITIES = frozenset({_HAEMOLYSED, "118127007", "118129005"})  # lipaemic, icteric

# A fetus, a donor, a device: who or what the result is about, where that is not the patient of the record (`focus`).
_SOMEONE_ELSE = frozenset(
    {"Patient", "RelatedPerson", "Group", "Practitioner", "PractitionerRole", "Organization", "Device", "Location"}
)


def effective(observation: Observation, at: datetime | None = None) -> datetime | None:
    """When the observation was true of the patient: its time, the end of its period, else when it was issued."""
    return next((moment for text in _times(observation) if (moment := instant(text, at)) is not None), None)


def _times(observation: Observation) -> list[str]:
    period = observation.effectivePeriod
    texts = (
        observation.effectiveDateTime,
        observation.effectiveInstant,
        period.end or period.start if period else "",
        observation.issued,
    )
    return [text for text in texts if text]


class Timed(msgspec.Struct, frozen=True, gc=False):
    """A node that may be read, and when it was true: `seconds` is its place in time (the undated come first)."""

    seconds: float
    when: datetime | None
    observation: Observation
    node: Observation | Component


class _Moment(msgspec.Struct, frozen=True, gc=False):
    """What a written time says: when, its place in time, and whether it may be used at the moment of assessment."""

    when: datetime | None
    seconds: float
    is_past: bool


class Usable:
    """Sorts out, of one record's Observations, those that may be read at a moment; says why of the others."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._moments: dict[str, _Moment] = {}  # the results of one sample share its time
        self.issues: list[Issue] = []

    def of(self, observations: Iterable[Observation]) -> list[Timed]:
        found: list[Timed] = []
        moments = self._moments
        for observation in observations:
            moment = moments.get(observation.effectiveDateTime) or self._read(observation.effectiveDateTime)
            if not moment.is_past:
                moment = self._by_any_time(observation)
            elif observation.status in STATUS_RANK and not (observation.modifierExtension or observation.focus):
                found.append(Timed(moment.seconds, moment.when, observation, observation))  # as nearly all are
                continue
            issue = unusable(observation, moment.when, self._at)
            if issue is None:
                found.append(Timed(moment.seconds, moment.when, observation, observation))
            else:
                self.issues.append(issue)
        return found

    def _read(self, text: str) -> _Moment:
        when = instant(text, self._at)
        self._moments[text] = moment = _Moment(when, seconds(when), when is not None and when <= self._at)
        return moment

    def _by_any_time(self, observation: Observation) -> _Moment:
        when = effective(observation, self._at)
        return _Moment(when, seconds(when), is_past=False)


def hours_of(observation: Observation) -> float | None:
    """The length of its period, None where that is not known."""
    period = observation.effectivePeriod
    start, end = (instant(period.start), instant(period.end)) if period else (None, None)
    return 24 * days_between(start, end) if start and end else None


def unusable(observation: Observation, when: datetime | None, at: datetime) -> Issue | None:
    """Why an Observation as a whole is not read, None where it is: status, unknown modifier, subject, time."""
    if observation.status not in STATUS_RANK:
        said = observation.status if observation.status in _OTHER_STATUS else "no status"
        return Issue("information", "status-not-used", said, observation.address)
    if observation.modifierExtension and qualities(observation) - KNOWN_QUALITIES:
        text = "a modifierExtension that may change the meaning"
        return Issue("warning", "modifier-unknown", text, observation.address)
    if observation.focus and any(_is_someone_else(focus.reference, observation) for focus in observation.focus):
        return Issue("information", "about-someone-else", "its focus is not the patient", observation.address)
    if when is None and _times(observation):
        return Issue("warning", "date-unreadable", "a date that is none", observation.address)
    if when is not None and when > at:
        return Issue("information", "after-at", "dated after the moment of assessment", observation.address)
    return None


def is_haemolysed(observation: Observation) -> bool:
    return bool(observation.modifierExtension) and _HAEMOLYSED in qualities(observation)


def qualities(observation: Observation | Component) -> set[str]:
    """The codes of the modifier extensions; the address of one that has no code."""
    found: set[str] = set()
    for extension in observation.modifierExtension:
        codings = extension.valueCodeableConcept.coding if extension.valueCodeableConcept else ()
        single = (extension.valueCoding,) if extension.valueCoding else ()
        found |= {coding.code for coding in (*codings, *single)} or {extension.url}
    return found


def _is_someone_else(focus: str, observation: Observation) -> bool:
    kind = focus.partition("/_history/")[0].split("/")[-2:-1]
    return bool(kind) and kind[0] in _SOMEONE_ELSE and focus != observation.subject.reference
