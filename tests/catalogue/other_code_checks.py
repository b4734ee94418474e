"""Checks of typed/genes.txt and drugs_and_procedures.txt."""

from collections.abc import Iterator
from functools import partial

from fhir_mappings.concepts import LOINC, SNOMED, catalogue
from fhir_mappings.genes import HGNC
from tests.catalogue.check import Check, lines
from tests.catalogue.observation_checks import SYSTEMS, not_meant
from tests.unit.fhir_mappings.resources_of import Resource, component, concept, encoded, variant

_MTB = "https://www.medizininformatik-initiative.de/fhir/ext/modul-mtb/CodeSystem/x"
_VARIANTS = ("69548-6", "53041-0")
_CLASSES = {
    "atc": ("http://fhir.de/CodeSystem/bfarm/atc", "http://www.whocc.no/atc"),
    "ops": ("http://fhir.de/CodeSystem/bfarm/ops",),
    "rxnorm": ("http://www.nlm.nih.gov/research/umls/rxnorm",),
    "snomed": (SNOMED,),
    "therapy": (SYSTEMS["therapy"],),
}


def gene_checks() -> Iterator[Check]:
    for head, alteration in lines("genes.txt"):
        key, number, symbol = head.split()
        code = f"HGNC:{number}"
        about = frozenset({key, f"{HGNC}|{code}"})
        yield Check(f"{symbol} {alteration} is {key}", about, partial(_not_altered, key, code, alteration))
        yield Check(f"{code} is {key}", about, partial(not_meant, HGNC, code, key, "1"), by_value=True)
        for holder in _VARIANTS:
            panel = frozenset({key, f"{LOINC}|{holder}"})
            yield Check(f"{holder} holds {key}", panel, partial(not_meant, LOINC, holder, key, "panel"), by_value=True)


def _not_altered(key: str, code: str, alteration: str) -> str | None:
    found = encoded(_reported(code, alteration)).findings.get(key)
    return None if found is not None and found.value == 1 else "it is not 1"


def _reported(code: str, alteration: str) -> Resource:
    if alteration == "promoter":
        return variant(code, parts=[component("48004-6", valueCodeableConcept=concept("c.-124C>T", "hgvs"))])
    if alteration == "fusion":
        return variant(code, parts=[{"code": concept("five-prime-gene", _MTB)}])
    if alteration == "amplification":
        gain = {"code": concept("x", _MTB), "valueCodeableConcept": concept("high-level-gain", _MTB)}
        return variant(code, parts=[gain])
    return variant(code, protein=alteration)


def drug_checks() -> Iterator[Check]:
    for head, rest in lines("drugs_and_procedures.txt"):
        name, *marks, key = head.split()
        for system in _CLASSES[name]:
            for code in rest.split():
                about = frozenset({key, f"{system}|{code}"})
                yield Check(
                    f"{head}: {code}", about, partial(_not_classed, system, code, key, "".join(marks)), by_value=True
                )


def _not_classed(system: str, code: str, key: str, mark: str) -> str | None:
    """None where the table has the code under that address, and a reader that looks it up finds the parameter."""
    wanted = {"": {"1", "category"}, "part": {"part"}, "none": {"ignored"}}.get(mark, {f"level{mark}"})
    rows = catalogue().rows
    meant = {c.meaning for c in catalogue().lookup(system, code) if c.key == key}
    listed = {r["meaning"] for r in rows if (r["key"], r["system"], r["code"]) == (key, system, code)}
    return None if wanted & listed and wanted & meant else f"{key} has {sorted(meant) or 'nothing'} for it"
