"""Relevances -> the factors that a reader sees, each against a typical patient of the same group."""

import math
from functools import cache

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.timing import written
from models.features import Feature
from models.predictor import Attribution
from models.setting import Network


class Evidence(msgspec.Struct, frozen=True, gc=False, rename={"origin": "from"}):
    """How many training patients stand behind a typical relevance, and which."""

    patients: int
    origin: str


class Factor(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One input: its value, where it came from, its relevance (log-risk) and the factor against a typical patient."""

    feature: str
    relevance: float
    typical: float
    factor: float
    family: str = ""
    label: str = ""
    value: float | None = None
    unit: str = ""
    effective: str = ""
    sources: tuple[str, ...] = ()
    evidence: Evidence | None = None


def factors(
    encoded: EncodedPatient, attribution: Attribution, network: Network, entity: str | None
) -> tuple[Factor, ...]:
    """Every input with a relevance, strongest deviation from the typical patient first, ties by key.

    The relevances sum to the risk score. factor = exp(slope * (relevance - typical)).
    """
    inputs, slope = _inputs(network, entity), network.slope
    found = []
    moment, effective = None, ""
    relevances = attribution.relevance.tolist()
    for column in attribution.relevance.nonzero()[0].tolist():
        relevance = relevances[column]
        feature, usual, shown, evidence = inputs[column]
        finding = encoded.findings[feature.key]
        if finding.effective is not moment:  # results of one sample, which are neighbours, share theirs
            moment = finding.effective
            effective = written(moment) if moment else ""
        found.append(
            Factor(
                feature=feature.key,
                relevance=round(relevance, 7),
                typical=shown,
                factor=round(math.exp(slope * (relevance - usual)), 4),
                family=feature.family,
                label=feature.label_en,
                value=round(finding.value, 6),
                unit=feature.unit,
                effective=effective,
                sources=finding.sources,
                evidence=evidence,
            )
        )
    return tuple(sorted(found, key=lambda f: (-abs(f.relevance - f.typical), f.feature)))


@cache
def _inputs(network: Network, entity: str | None) -> tuple[tuple[Feature, float, float, Evidence | None], ...]:
    """Every column with its relevance in a typical patient of the entity, that as shown, and what stands behind it."""
    typical = network.typical(entity)
    usual = [0.0 if math.isnan(value) else value for value in typical.value.tolist()]
    evidence = [
        Evidence(patients, origin) if patients else None
        for patients, origin in zip(typical.patients.tolist(), typical.origin, strict=True)
    ]
    shown = [round(value, 7) for value in usual]
    return tuple(zip(catalogue().schema.features, usual, shown, evidence, strict=True))


def others(rest: tuple[Factor, ...]) -> Factor:
    """Several factors as one row, so that what is shown still sums (and multiplies) to the whole."""
    return Factor(
        "other",
        relevance=round(sum(factor.relevance for factor in rest), 7),
        typical=round(sum(factor.typical for factor in rest), 7),
        factor=round(math.prod(factor.factor for factor in rest), 4),
    )


@cache
def most_telling(network: Network, entity: str | None) -> tuple[str, ...]:
    """The inputs that move patients of this entity most, by the spread of their relevance in training; entity aside."""
    groups = network.manifest.groups
    group = groups.get(entity or "") or groups[network.setting]
    spread = {key: typical.spread for key, typical in group.typical.items() if key in catalogue().schema.index}
    return tuple(sorted(spread, key=lambda key: (-spread[key], key)))
