"""Scores of the bedside that stand beside the network's estimate and are never combined with it."""

import msgspec

from fhir_mappings.encoder import EncodedPatient


class Part(msgspec.Struct, frozen=True):
    """One measurement of a score: its value in the score's unit and the points that it gives."""

    key: str
    value: float
    points: int


class BedsideScore(msgspec.Struct, frozen=True, omit_defaults=True):
    """`key`: news2, qsofa or cisne. `value` is None where a part is `missing`: absent is never normal."""

    key: str
    value: int | None = None
    parts: tuple[Part, ...] = ()
    missing: tuple[str, ...] = ()


def bedside_scores(_encoded: EncodedPatient) -> tuple[BedsideScore, ...]:
    """The scores of a patient."""
    return ()
