"""The same record gives the same vector, score and attribution, however it came."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.loading import loose
from demo.patients import demo_patients
from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.moment import latest
from fhir_mappings.record import PatientRecord
from models.package import Package
from service.assessment import Assessment, assess
from service.clock import now
from service.state.expiring import ExpiringStore, ProcessExpiring
from service.state.expiring_file import SqliteExpiring
from tests.conftest import ROOT
from tests.corpus.published import NO_DATE, body, files
from tests.corpus.ways import ways


@cache
def package() -> Package:
    return Package.load(ROOT / "models" / "packages" / "pan-cancer", catalogue().schema)


def said(assessment: Assessment) -> tuple[object, ...]:
    """What must not depend on the way."""
    return (
        assessment.status, assessment.abstained, assessment.setting, assessment.position, assessment.risk_score,
        assessment.attribution, assessment.survival, assessment.coverage,
    )  # fmt: skip


def check_alike(patient: str, records: Mapping[str, PatientRecord]) -> bool:
    """Whether it could be scored; fails where two ways differ."""
    first = records["bundle"]
    at = latest(first) or NO_DATE
    expected = encode(first, catalogue().schema, at)
    assessed = assess(first, at, package())
    for way, record in records.items():
        encoded = encode(record, catalogue().schema, at)
        differing = {
            key: (expected.findings.get(key), encoded.findings.get(key))
            for key in expected.findings.keys() | encoded.findings.keys()
            if expected.findings.get(key) != encoded.findings.get(key)
        }
        assert differing == {}, (patient, way)
        assert np.array_equal(encoded.vector.values, expected.vector.values, equal_nan=True), (patient, way)
        assert said(assess(record, at, package())) == said(assessed), (patient, way)
    return assessed.status == "scored"


def read_in_every_way(resources: Iterable[dict[str, Any]], folder: Path) -> dict[str, bool]:
    """Every patient among the resources, and whether he or she could be scored."""
    listed = list(resources)

    async def run() -> dict[str, bool]:
        file = SqliteExpiring(folder / "state.sqlite", now, "cached")
        stores: dict[str, ExpiringStore] = {"process": ProcessExpiring(now), "file": file}
        patients = [resource["id"] for resource in listed if resource["resourceType"] == "Patient"]
        async with ways(listed, stores) as read:
            found = {patient: check_alike(patient, await read.records(patient)) for patient in patients}
        await file.close()
        return found

    return asyncio.run(run())


def as_on_a_server(path: Path) -> list[dict[str, Any]]:
    """The resources of a file with relative references; those without any id cannot be on a server."""
    whole = json.loads(body(path))
    if whole["resourceType"] == "Bundle":
        named = [e for e in whole.get("entry", ()) if e.get("resource", {}).get("id") or "urn:" in e.get("fullUrl", "")]
        whole = {**whole, "entry": named}
    return [dict(resource) for resource in loose([whole])] if whole.get("id") or "entry" in whole else []


def test_demonstration_patients(tmp_path: Path) -> None:
    """Those of the demonstration, four of whom are scored."""
    resources = [resource for chart in demo_patients().values() for resource in chart]
    scored = read_in_every_way(resources, tmp_path)
    assert len(scored) == len(demo_patients())
    assert sum(scored.values()) >= 4


@pytest.mark.corpus
def test_every_published_patient(corpus: Path, tmp_path: Path) -> None:
    """Synthea file by file, the German files together, the examples of R4 together."""
    collections: dict[str, list[dict[str, Any]]] = {}
    for path in files(corpus):
        name = path.name if path.suffix == ".gz" else path.parent.name
        collections.setdefault(name, []).extend(as_on_a_server(path))
    scored: dict[str, bool] = {}
    for number, resources in enumerate(collections.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        scored |= read_in_every_way(resources, folder)
    assert len(scored) > 40
    assert any(scored.values())
