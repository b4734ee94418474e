"""A public code that a site sends under a name of its own says what it said."""

import asyncio
import copy
import random
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.patients import demo_patients
from fhir_mappings.concepts import canonical, catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.moment import latest
from fhir_mappings.record import PatientRecord
from fhir_mappings.site_codes import read_overlay
from models.package import Package
from service.assessment import Assessment, assess
from tests.conftest import ROOT
from tests.corpus.ways import ways
from tests.site import LAB, reading_by, standing_for

_TYPES = ("Observation", "Condition")
_SAMPLE = 12


@cache
def package() -> Package:
    return Package.load(ROOT / "models" / "packages" / "pan-cancer", catalogue().schema)


def codings(node: Any) -> Iterator[dict[str, str]]:
    """The codings of codes (not of answers) anywhere in a resource."""
    if isinstance(node, list):
        for one in node:
            yield from codings(one)
    elif isinstance(node, dict):
        yield from node["code"].get("coding", ()) if isinstance(node.get("code"), dict) else ()
        yield from codings(node.get("component", []))


def resources(patient: str) -> list[dict[str, Any]]:
    return copy.deepcopy(demo_patients()[patient])


def used_codes(patient: str, folder: Path) -> list[tuple[str, str]]:
    """The public codes of a patient that a site's code may stand for."""
    sent = {
        (canonical(coding["system"]), coding["code"])
        for resource in resources(patient) if resource["resourceType"] in _TYPES
        for coding in codings(resource) if coding.get("system") and catalogue().lookup(coding["system"], coding["code"])
    }  # fmt: skip
    found = sorted(sent)
    site = read_overlay(standing_for(folder, {f"L{n}": public for n, public in enumerate(found)})).site
    return [public for n, public in enumerate(found) if (LAB, f"L{n}") in site.codes]


def renamed(patient: str, own: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """The resources, with these codes under the names of the laboratory."""
    whole = resources(patient)
    for resource in whole:
        if resource["resourceType"] in _TYPES:
            for coding in codings(resource):
                name = own.get((canonical(coding.get("system", "")), coding["code"]))
                if name:
                    coding.update(system=LAB, code=name)
    return whole


def every_way(patient: str, listed: list[dict[str, Any]]) -> dict[str, PatientRecord]:
    async def run() -> dict[str, PatientRecord]:
        async with ways(listed, {}) as read:
            return await read.records(patient)

    return asyncio.run(run())


def said(assessment: Assessment) -> tuple[object, ...]:
    return (
        assessment.status, assessment.abstained, assessment.setting, assessment.position, assessment.risk_score,
        assessment.attribution, assessment.survival, assessment.coverage,
    )  # fmt: skip


@pytest.mark.parametrize("patient", list(demo_patients()))
@pytest.mark.parametrize("seed", ["all", 1, 2])
def test_a_renamed_code_says_the_same(patient: str, seed: str | int, tmp_path: Path) -> None:
    """Vector, score and attribution, from a Bundle, prefetch and search: one site code for each public one."""
    public = used_codes(patient, tmp_path)
    chosen = public if seed == "all" else random.Random(f"{patient} {seed}").sample(public, min(_SAMPLE, len(public)))  # noqa: S311
    names = {code: f"LOC-{number}" for number, code in enumerate(chosen)}
    before = every_way(patient, resources(patient))
    at = latest(before["bundle"])
    assert at is not None
    vector = encode(before["bundle"], catalogue().schema, at).vector.values
    expected = said(assess(before["bundle"], at, package()))
    with reading_by(standing_for(tmp_path, {name: code for code, name in names.items()})):
        for way, record in every_way(patient, renamed(patient, names)).items():
            encoded = encode(record, catalogue().schema, at)
            differing = np.flatnonzero(
                ~((encoded.vector.values == vector) | (np.isnan(encoded.vector.values) & np.isnan(vector)))
            )
            assert [catalogue().schema.keys[i] for i in differing] == [], way
            assert said(assess(record, at, package())) == expected, way
    if names:
        unknown = encode(every_way(patient, renamed(patient, names))["bundle"], catalogue().schema, at)
        assert "code-unknown" in {issue.code for issue in unknown.issues}
