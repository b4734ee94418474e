"""Observations inside another one (`contained`, FHIR R4 2.3.0.4): parts of their container, without an address.

Time and subject are those of the container where the part states none. A part whose subject is a contained Patient
cannot be shown to be about the patient of the record.
"""

import msgspec

from fhir_mappings.finding import Issue
from fhir_mappings.resources.r4 import Observation


class _Peek(msgspec.Struct):
    resourceType: str = ""  # noqa: N815


_peek = msgspec.json.Decoder(_Peek)
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
