"""How many of the inputs a patient has, of those with weights and of all, as a whole and by modality."""

from collections.abc import Mapping
from functools import cache

import msgspec

from fhir_mappings.concepts import catalogue
from models.features import MODALITIES
from models.setting import Network


class Counts(msgspec.Struct, frozen=True):
    observed: int
    trained: int
    total: int


class Coverage(msgspec.Struct, frozen=True, rename="camel"):
    """How many inputs the patient has (`observed`) of those with weights (`trained`) and of all (`total`)."""

    observed: int
    trained: int
    total: int
    by_modality: dict[str, Counts]


class _Inputs(msgspec.Struct, frozen=True):
    """The inputs of one modality: those with weights (entities apart), and how many there are at all."""

    trained: frozenset[str]
    entities: frozenset[str]
    total: int


@cache
def _inputs(network: Network) -> Mapping[str, _Inputs]:
    """By modality; the 38 entities count as the one input that they are."""
    schema = catalogue().schema
    found: dict[str, _Inputs] = {}
    for modality in MODALITIES:
        features = [feature for feature in schema.features if feature.modality == modality]
        single = frozenset(feature.key for feature in features if not feature.is_entity)
        entities = frozenset(feature.key for feature in features if feature.is_entity)
        found[modality] = _Inputs(single & network.trained, entities & network.trained, len(single) + bool(entities))
    return found


def coverage_of(known: Mapping[str, object], network: Network) -> Coverage:
    """How many of the inputs there are, over all parameters and by modality."""
    has = frozenset(known)
    by_modality = {
        modality: Counts(
            observed=len(inputs.trained & has) + (not inputs.entities.isdisjoint(has)),
            trained=len(inputs.trained) + bool(inputs.entities),
            total=inputs.total,
        )
        for modality, inputs in _inputs(network).items()
    }
    counts = by_modality.values()
    return Coverage(
        observed=sum(c.observed for c in counts),
        trained=sum(c.trained for c in counts),
        total=sum(c.total for c in counts),
        by_modality=by_modality,
    )
