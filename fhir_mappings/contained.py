"""Observations and specimens inside an Observation (`contained`, FHIR R4 2.3.0.4): parts of it, without an address.

Time and subject are those of the container where the part states none. A part whose subject is a contained Patient
cannot be shown to be about the patient of the record.
"""

import msgspec

from fhir_mappings.finding import Issue
from fhir_mappings.resources.datatypes import Period
from fhir_mappings.resources.r4 import Observation


class _Peek(msgspec.Struct):
    resourceType: str = ""  # noqa: N815


class _Collection(msgspec.Struct, frozen=True):
    collectedDateTime: str = ""  # noqa: N815
    collectedPeriod: Period | None = None  # noqa: N815


class _Specimen(msgspec.Struct, frozen=True):
    resourceType: str = ""  # noqa: N815
    id: str = ""
    collection: _Collection = _Collection()


_peek = msgspec.json.Decoder(_Peek)
_specimen = msgspec.json.Decoder(_Specimen)
_observation = msgspec.json.Decoder(Observation)


def contained_observations(container: Observation) -> tuple[list[Observation], list[Issue]]:
    """The Observations inside one, each named by its container (`Observation/panel#sodium`)."""
    found: list[Observation] = []
    issues: list[Issue] = []
    for raw in container.contained:
        try:
            if _peek.decode(raw).resourceType == "Observation":
                found.append(_part(_observation.decode(raw), container))
        except (msgspec.MsgspecError, RecursionError):
            text = "a contained resource is not as FHIR R4 defines it"
            issues.append(Issue("warning", "unreadable", text, container.address))
    return found, issues


def dated_by_specimen(observation: Observation) -> Observation:
    """The Observation with the time of collection of its contained specimen, where it has no time of its own."""
    if observation.effectiveDateTime or observation.effectivePeriod or observation.effectiveInstant:
        return observation
    for raw in observation.contained:
        try:
            specimen = _specimen.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            continue
        if specimen.resourceType == "Specimen" and observation.specimen.reference == f"#{specimen.id}":
            collected = specimen.collection
            return msgspec.structs.replace(
                observation,
                effectiveDateTime=collected.collectedDateTime,
                effectivePeriod=collected.collectedPeriod,
            )
    return observation


def _part(part: Observation, container: Observation) -> Observation:
    is_dated = part.effectiveDateTime or part.effectivePeriod or part.effectiveInstant
    dated = part if is_dated else container
    named = part.subject.reference or part.subject.identifier
    return msgspec.structs.replace(
        part,
        id=f"{container.id}#{part.id}",
        subject=part.subject if named else container.subject,
        effectiveDateTime=dated.effectiveDateTime,
        effectivePeriod=dated.effectivePeriod,
        effectiveInstant=dated.effectiveInstant,
        implicitRules=part.implicitRules or container.implicitRules,
        modifierExtension=(*container.modifierExtension, *part.modifierExtension),
    )
