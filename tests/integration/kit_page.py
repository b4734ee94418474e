"""`python -m tests.integration.kit_page` writes the calls of docs/integration-kit.md, and what its commands print."""

import asyncio
import gzip
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import chain
from typing import Any

import httpx

from demo.fhir_endpoint import create_endpoint
from demo.patients import demo_patients
from demo.service_process import service
from fhir_mappings.retrieval import queries
from tests.conftest import ROOT
from tests.integration import shown_commands

PAGE = ROOT / "docs" / "integration-kit.md"
EXAMPLE = ROOT / "docs" / "example-calls.ndjson.gz"
_DAY = date(2026, 6, 30)  # of the patients: the service assesses each at the newest Observation
_FHIR = "http://fhir.example/fhir"
_SHOWN = "http://127.0.0.1:8000"  # where the page says that the service runs


def example() -> str:
    """Three calls: two with all of the prefetch, one with none, which cannot be answered."""
    return "\n".join(json.dumps(call, separators=(",", ":")) for call in asyncio.run(_calls()))


async def _calls() -> list[dict[str, Any]]:
    resources = chain.from_iterable(demo_patients(_DAY).values())
    filled: list[dict[str, Any]] = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_endpoint(resources))) as fhir:
        for patient in ("demo-breast", "demo-colorectal"):
            templates = {query.key: query.template for query in queries()}
            prefetch = {key: await _fetched(fhir, template, patient) for key, template in templates.items()}
            filled.append({**_call(patient), "prefetch": prefetch})
    return [*filled, _call("demo-lung")]


async def _fetched(fhir: httpx.AsyncClient, template: str, patient: str) -> Any:
    answer = await fhir.get(f"{_FHIR}/{template.replace('{{context.patientId}}', patient)}")
    found = answer.raise_for_status().json()
    for passing in ("meta", "id") if found["resourceType"] == "Bundle" else ():
        found.pop(passing, None)  # what another run writes differently
    return found


def _call(patient: str) -> dict[str, Any]:
    context = {"userId": "Practitioner/example", "patientId": patient}
    return {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context}


@contextmanager
def served() -> Iterator[str]:
    """The service as the page says that it is started."""
    with service("http://127.0.0.1:9/fhir", clock="latest") as url:
        yield url


def refreshed(page: str, url: str) -> str:
    """The page with what its commands print; times are no part of what is compared."""
    return shown_commands.refreshed(page, lambda command: _printed(command, url))


def _printed(command: str, url: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("ONCOHOOKS_")}
    done = shown_commands.in_shell(command.replace(_SHOWN, url), environment=own, check=False)
    told = (done.stdout + done.stderr).replace(url, _SHOWN)
    return re.sub(r" \d+ ms", " 12 ms", re.sub(r" {2,}\d+ ms", "       12 ms", told))


if __name__ == "__main__":
    EXAMPLE.write_bytes(gzip.compress(example().encode(), mtime=0))
    with served() as running:
        PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8"), running), encoding="utf-8")
