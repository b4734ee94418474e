"""What the code of an Observation calls for: which parameter (or part of one), and how its value is read.

Compiled once a catalogue, so that reading a record costs one look-up a coding.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from fhir_mappings.choosing import newest_decides
from fhir_mappings.concepts import Catalogue, Concept, SiteCode, addresses_of
from fhir_mappings.derive import COMPARED
from fhir_mappings.readers.by_code import Code
from fhir_mappings.readers.parts import PARTS
from models.features import Feature

# How a value is read; the closed list of meanings in the catalogue, without those that say nothing of an Observation.
How = Literal["level", "value", "percent_of_leukocytes", "multiple_of_limit", "part", "panel", "ignored"]

_HOW: Mapping[str, How] = {
    "level": "level",
    "value": "value",
    "component": "value",
    "percent_of_leukocytes": "percent_of_leukocytes",
    "multiple_of_limit": "multiple_of_limit",
    "part": "part",
    "panel": "panel",
    "ignored": "ignored",
}
_DAY = 86_400.0
_METHOD_RANK = {"pathological": 20, "clinical": 10, "point of care": -20}


class Slot(msgspec.Struct, frozen=True, gc=False):
    """One meaning of one code: `name` is the parameter, or the part that the encoder derives one from.

    `newest_decides`: older values cannot stand for the parameter, so they need not be read, but for those of so many
    seconds before the newest (`compared`) that its change is formed from. `initial_stage`: a stage that counts from the
    time of diagnosis only. `unit`: that of its findings. `rank`: by the method that the code names. `code`: the public
    one, where the site's stands for it. `assumed_unit`: what the site says of results without one.
    """

    name: str
    how: How
    code: tuple[str, str]
    concept: Concept
    feature: Feature
    newest_decides: bool
    compared: tuple[float, float] | None
    initial_stage: bool
    is_parameter: bool
    unit: str
    rank: int
    rule: str
    assumed_unit: str = ""


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """All that one code calls for, and the slots of those parameters for which it is never used.

    `conflicting`: of several codes, one slot of each parameter that they would read differently.
    """

    slots: tuple[Slot, ...] = ()
    ignored: tuple[Slot, ...] = ()
    conflicting: tuple[Slot, ...] = ()


NO_MEANING = Meaning()


def meanings_of_codes(source: Catalogue) -> Mapping[Code, Meaning]:
    """Every code with a meaning for Observations; each address under which a system is sent has its own entry."""
    found: dict[Code, Meaning] = {}
    for (system, code), concepts in source.concepts.items():
        slots = tuple(_slots(source, source.read_as(system, code), concepts))
        if own := source.site.codes.get((system, code)):
            slots = tuple(_of_site(slot, code, own) for slot in slots)
        if slots:
            ignored = tuple(slot for slot in slots if slot.how == "ignored")
            meaning = Meaning(tuple(slot for slot in slots if slot.how != "ignored"), ignored)
            found |= {(address, code): meaning for address in addresses_of(system)}
    return found


def together(meanings: Sequence[Meaning]) -> Meaning:
    """What several codings of one result call for, whatever their order: each parameter once.

    A coding that is never used does not stand in the way of another one. Codings that name different substances or
    quantities (urea and urea nitrogen, a share and a count) contradict each other, as do those of a site that it states
    different units for.
    """
    named: dict[str, list[Slot]] = {}
    for slot in sorted((s for meaning in meanings for s in meaning.slots), key=_in_turn):
        named.setdefault(slot.concept.key, []).append(slot)
    if not named:
        return meanings[0]
    clear = {key: slots for key, slots in named.items() if _agree(slots)}
    conflicting = tuple(slots[0] for key, slots in named.items() if key not in clear)
    return Meaning(tuple(slots[0] for slots in clear.values()), conflicting=conflicting)


def _in_turn(slot: Slot) -> tuple[int, bool, Code]:
    """The better method first; of equals one for which the site states a unit."""
    return -slot.rank, not slot.assumed_unit, slot.code


def _agree(slots: Sequence[Slot]) -> bool:
    quantities = {(slot.name, slot.concept.factor) for slot in slots}
    return len(quantities) == 1 and len({slot.assumed_unit for slot in slots if slot.assumed_unit}) <= 1


def _slots(source: Catalogue, code: tuple[str, str], concepts: Iterable[Concept]) -> Iterable[Slot]:
    for concept in concepts:
        how = _HOW.get(concept.meaning)
        if how is None or (how == "part" and code not in PARTS):
            continue
        feature = source.schema[concept.key]
        name = _name(how, code, concept.key)
        yield Slot(
            name=name,
            how=how,
            code=code,
            concept=concept,
            feature=feature,
            newest_decides=name not in source.schema.index or newest_decides(feature),
            compared=_compared(name),
            initial_stage=feature.missing_rule == "initial_staging",
            is_parameter=name in source.schema.index,
            unit=feature.unit if name in source.schema.index else "",
            rank=_METHOD_RANK.get(concept.method, 0),
            rule=f"{concept.meaning} of {concept.code}",
        )


def _of_site(slot: Slot, code: str, own: SiteCode) -> Slot:
    """The same under a code of the site, which the value's rule tells."""
    said = f"sent as {code}" if own.stands_for else "by the site's overlay"
    assumed = own.unit if slot.how == "value" else ""
    return msgspec.structs.replace(slot, rule=f"{slot.rule}, {said}", assumed_unit=assumed)


def _compared(name: str) -> tuple[float, float] | None:
    """With two days more at either end: what is chosen may be another result of the newest day, in another zone."""
    first, last = COMPARED.get(name, (None, None))
    return None if first is None or last is None else ((first - 2) * _DAY, (last + 2) * _DAY)


def _name(how: How, code: tuple[str, str], key: str) -> str:
    if how == "percent_of_leukocytes":
        return f"part/percent/{key}"
    return PARTS[code] if how == "part" else key
