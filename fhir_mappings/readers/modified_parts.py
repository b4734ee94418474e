"""Components with a `modifierExtension` of their own (FHIR R4, BackboneElement): heeded where known, else left out."""

import msgspec

from fhir_mappings.concepts import LOINC, addresses_of
from fhir_mappings.finding import Issue
from fhir_mappings.readers.by_code import has_code
from fhir_mappings.readers.usable import KNOWN_QUALITIES, qualities
from fhir_mappings.readers.variants import VARIANT
from fhir_mappings.resources.r4 import Observation

_VARIANTS = frozenset((address, VARIANT) for address in addresses_of(LOINC))


def understood_parts(observations: list[Observation]) -> tuple[list[Observation], list[Issue]]:
    """The Observations without the components whose modifier is unknown, and an issue for each that had some.

    A known quality (haemolysed) is that of the whole sample. A variant is one statement made of its components: an
    unknown modifier of one of them is one of the whole.
    """
    modified = {id(o) for o in observations if o.component and any(part.modifierExtension for part in o.component)}
    if not modified:
        return observations, []
    kept: list[Observation] = []
    issues: list[Issue] = []
    for observation in observations:
        if id(observation) not in modified:
            kept.append(observation)
            continue
        clear = [part for part in observation.component if not qualities(part) - KNOWN_QUALITIES]
        if len(clear) < len(observation.component) and not has_code(observation, _VARIANTS):
            text = "a component with a modifierExtension that may change the meaning"
            issues.append(Issue("warning", "modifier-unknown", text, observation.address))
        parts = observation.component if has_code(observation, _VARIANTS) else tuple(clear)
        raised = tuple(extension for part in parts for extension in part.modifierExtension)
        whole = (*observation.modifierExtension, *raised)
        kept.append(msgspec.structs.replace(observation, component=tuple(clear), modifierExtension=whole))
    return kept, issues
