"""A record's Observations by their codes, so that each code is looked up once and not once a result."""

from collections.abc import Iterable, Mapping

import msgspec

from fhir_mappings.concepts import addresses_of
from fhir_mappings.resources.r4 import Observation

Code = tuple[str, str]  # system as sent, code


class ByCode(msgspec.Struct, frozen=True):
    """`single`: those with one coding and no components, which most have. `mixed`: all others."""

    single: Mapping[Code, list[Observation]]
    mixed: list[Observation]

    def without(self, system: str, code: str) -> tuple["ByCode", list[Observation]]:
        """The Observations with any coding of this code (the system by any of its addresses), apart from the others."""
        codes = {(address, code) for address in addresses_of(system)}
        apart = [o for key in self.single.keys() & codes for o in self.single[key]]
        apart += [o for o in self.mixed if has_code(o, codes)]
        if not apart:
            return self, []
        single = {key: some for key, some in self.single.items() if key not in codes}
        return ByCode(single, [o for o in self.mixed if not has_code(o, codes)]), apart


def by_code(observations: Iterable[Observation]) -> ByCode:
    single: dict[Code, list[Observation]] = {}
    mixed: list[Observation] = []
    for observation in observations:
        codings = observation.code.coding
        if len(codings) != 1 or observation.component:
            mixed.append(observation)
            continue
        coding = codings[0]
        code = (coding.system, coding.code)
        same = single.get(code)
        if same is None:
            single[code] = [observation]
        else:
            same.append(observation)
    return ByCode(single, mixed)


def has_code(observation: Observation, codes: Iterable[Code]) -> bool:
    return any((coding.system, coding.code) in codes for coding in observation.code.coding)
