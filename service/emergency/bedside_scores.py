"""NEWS2, qSOFA and CISNE, computed beside the network and never combined with it. Pure.

Rules: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017 (free to use, to be acknowledged);
Seymour et al., JAMA 2016, 315, 762 (qSOFA); Carmona-Bayonas et al., J Clin Oncol 2015, 33, 465 (CISNE). Each by the
newest readings (`fhir_mappings.bedside`). A score with a missing part has no value and shows the parts that are there.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from fhir_mappings.bedside import Bedside
from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.finding import Finding
from fhir_mappings.timing import written
from service.emergency.cisne import cisne_points

_ALERT = 15
_ADULT = 18


class ScorePart(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading in its canonical unit, and what it adds. `effective` is when it was taken.

    Consciousness is in points of the coma score (15 alert), oxygen is 1 or 0.
    """

    key: str
    value: float
    points: int
    effective: str = ""


class BedsideScore(msgspec.Struct, frozen=True, omit_defaults=True):
    """`value` is left out where an input is `missing`. `band` is what the score's authors call a value of concern.

    NEWS2: `urgent` from 5 or by a single 3, `emergency` from 7. qSOFA: `positive` from 2. CISNE: `low`, `intermediate`,
    `high`.
    """

    key: str
    value: int | None = None
    parts: tuple[ScorePart, ...] = ()
    missing: tuple[str, ...] = ()
    band: str = ""


def bedside_scores(encoded: EncodedPatient, at: datetime) -> tuple[BedsideScore, ...]:
    """NEWS2 and qSOFA wherever at least one input is there; CISNE in stable febrile neutropenia with all its inputs.

    `at` is the moment of assessment, after which nothing was read. None for whom the scores are not made (children,
    pregnancy, the dead), nor where data of another patient came. MASCC needs two judgements of a clinician and is no
    computation.
    """
    if not _is_meant_for(encoded):
        return ()
    found = [news2(encoded.bedside), qsofa(encoded.bedside)]
    parts = tuple(_part(key, reading, points) for key, reading, points in cisne_points(encoded, at))
    if parts:
        total = sum(part.points for part in parts)
        found.append(BedsideScore("cisne", total, parts, band=_cisne_band(total)))
    return tuple(score for score in found if score.parts)


def _is_meant_for(encoded: EncodedPatient) -> bool:
    person = encoded.person
    is_minor = person.age is not None and person.age < _ADULT
    return not (encoded.foreign or person.deceased or is_minor or "pregnancy" in encoded.circumstances)


def news2(bedside: Bedside) -> BedsideScore:
    """0 to 20. Scale 2 of the saturation only where a clinician set it."""
    inputs = [
        ("respiratory_rate", bedside.respiratory_rate, _respiration),
        _saturation(bedside),
        ("oxygen", bedside.oxygen, lambda value: 2 if value else 0),
        ("systolic", bedside.systolic, _systolic),
        ("pulse", bedside.pulse, _pulse),
        ("consciousness", bedside.consciousness, lambda value: 0 if value >= _ALERT else 3),
        ("temperature", bedside.temperature, _temperature),
    ]
    score = _scored("news2", inputs)
    if score.value is None:
        return score
    single = any(part.points == 3 for part in score.parts)
    band = "emergency" if score.value >= 7 else "urgent" if score.value >= 5 or single else ""
    return msgspec.structs.replace(score, band=band)


def qsofa(bedside: Bedside) -> BedsideScore:
    """0 to 3."""
    score = _scored(
        "qsofa",
        [
            ("respiratory_rate", bedside.respiratory_rate, lambda value: int(_whole(value) >= 22)),
            ("systolic", bedside.systolic, lambda value: int(_whole(value) <= 100)),
            ("consciousness", bedside.consciousness, lambda value: int(value < _ALERT)),
        ],
    )
    return msgspec.structs.replace(score, band="positive" if score.value is not None and score.value >= 2 else "")


_Points = Callable[[float], int]
_Input = tuple[str, Finding | None, _Points]


def _scored(key: str, inputs: Sequence[_Input]) -> BedsideScore:
    parts = tuple(_part(name, f, points(f.value)) for name, f, points in inputs if f is not None)
    missing = tuple(name for name, finding, _ in inputs if finding is None)
    return BedsideScore(key, None if missing else sum(part.points for part in parts), parts, missing)


def _part(key: str, reading: Finding, points: int) -> ScorePart:
    when = written(reading.effective) if reading.effective else ""
    return ScorePart(key, round(reading.value, 2), points, when)


def _saturation(bedside: Bedside) -> _Input:
    """By scale 1 unless a clinician set scale 2; what it says of a high value depends on oxygen.

    Where nobody says whether oxygen is given, the score has no value anyway, and this part is that of a patient on air.
    """
    if bedside.spo2_scale_2 is None or bedside.spo2_scale_2.value == 0:
        return "spo2", bedside.spo2, _scale_1
    on_oxygen = bedside.oxygen is not None and bedside.oxygen.value == 1
    return "spo2_scale_2", bedside.spo2, _scale_2_on_oxygen if on_oxygen else _scale_2_on_air


def _banded(upper: Sequence[float], points: Sequence[int], step: float = 1.0) -> _Points:
    """Points by band: `upper` are the last values of all bands but the last, in units of `step`.

    Values are rounded to the step first, as the chart's bands have gaps between them (35.0, 35.1).
    """
    limits = [round(limit / step) for limit in upper]

    def of(value: float) -> int:
        return points[bisect_right([limit + 1 for limit in limits], _whole(value / step))]

    return of


def _whole(value: float) -> int:
    """Half up; what a conversion of units leaves beside a whole number is none of the reading's."""
    return math.floor(round(value, 3) + 0.5)


_respiration = _banded((8, 11, 20, 24), (3, 1, 0, 2, 3))
_scale_1 = _banded((91, 93, 95), (3, 2, 1, 0))
_scale_2_on_air = _banded((83, 85, 87), (3, 2, 1, 0))
_scale_2_on_oxygen = _banded((83, 85, 87, 92, 94, 96), (3, 2, 1, 0, 1, 2, 3))
_systolic = _banded((90, 100, 110, 219), (3, 2, 1, 0, 3))
_pulse = _banded((40, 50, 90, 110, 130), (3, 1, 0, 1, 2, 3))
_temperature = _banded((35.0, 36.0, 38.0, 39.0), (3, 1, 0, 1, 2), step=0.1)


def _cisne_band(total: int) -> str:
    return "high" if total >= 3 else "intermediate" if total else "low"
