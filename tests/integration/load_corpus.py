"""Puts published FHIR test data into a HAPI server, and says what it would not take, and why.

All of the corpus takes about 30 s on 2 idle cores: Synthea 22 s, the German core data set 9 s, the R4 examples 3 s.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from tests.integration.hapi_server import Hapi

Resource = dict[str, Any]

SYNTHEA = (*(f"cancer-{number:02}" for number in range(1, 11)), "no-cancer-01", "no-cancer-02")

_BATCH = 100  # entries a request: 1 s of work, far from any limit of body size
_TIMEOUT = 300.0
_AGAIN = frozenset({"409", "500"})  # two entries of one batch that wanted to create the same placeholder
_NO_STATUS = "no status"


@dataclass
class Load:
    """What became of one source. `refused`: the name of each resource that was not stored, with the server's reason."""

    source: str
    refused: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)  # as it was named (`urn:uuid:…`, `Patient/x`) -> as it is stored

    @property
    def stored(self) -> int:
        """How many resources the server has now; one that was sent twice counts once."""
        return len(set(self.ids.values()))

    def patients(self) -> list[str]:
        """The ids of the stored patients, bare, in the order of loading."""
        stored = dict.fromkeys(self.ids.values())
        return [name.removeprefix("Patient/") for name in stored if name.startswith("Patient/")]

    def __str__(self) -> str:
        return f"{self.source}: {self.stored} stored, {len(self.refused)} refused"


def load_synthea(hapi: Hapi, corpus: Path, names: Sequence[str] = SYNTHEA) -> Load:
    """Post whole-life transactions of Synthea patients as they are (1 to 5 s each); the server gives out the ids."""
    load = Load("Synthea")
    with _Session(hapi, load) as session:
        for name in names:
            packed = (corpus / "fhir" / "synthea" / f"{name}.json.gz").read_bytes()
            session.transaction(name, json.loads(gzip.decompress(packed)))
    return load


def load_mii(hapi: Hapi, corpus: Path) -> Load:
    """Load the German core data set: 22 transactions (4 s), then the 639 single resources under their ids (5 s).

    Refused: the ImplementationGuide, in which HAPI 8.8 sees a Bundle without a type.
    """
    load = Load("MII")
    with _Session(hapi, load) as session:
        documents = list(_documents(corpus / "fhir" / "mii"))
        for name, resource in documents:
            if resource["resourceType"] == "Bundle":
                session.transaction(name, resource)
        session.put([resource for _, resource in documents if resource["resourceType"] != "Bundle"])
    return load


def load_r4_examples(hapi: Hapi, corpus: Path) -> Load:
    """Put the examples of the R4 specification under their ids (3 s).

    Refused: 5 Bundles whose type cannot be stored as a resource, an Observation whose performer is an Encounter. Not
    sent: the 2 Subscriptions, which would have the server call a foreign host at every bilirubin result.
    """
    load = Load("R4 examples")
    with _Session(hapi, load) as session:
        wanted: list[Resource] = []
        for name, resource in _documents(corpus / "fhir" / "hl7-r4-examples"):
            if resource["resourceType"] == "Subscription":
                load.refused[name] = "not sent: its endpoint is a foreign host"
            else:
                wanted.append(resource)
        session.put(wanted)
    return load


def put_resources(hapi: Hapi, resources: Iterable[Resource], source: str = "own resources") -> Load:
    """Put resources under their own ids, in batches. What one refuses does not keep the others out."""
    load = Load(source)
    with _Session(hapi, load) as session:
        session.put(list(resources))
    return load


class _Session:
    """One connection to the server and the load that it fills."""

    def __init__(self, hapi: Hapi, load: Load) -> None:
        self._hapi = hapi
        self._load = load
        self._http = httpx.Client(timeout=_TIMEOUT, headers={"Content-Type": "application/fhir+json"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        counts = self._hapi.loaded
        counts[self._load.source] = counts.get(self._load.source, 0) + self._load.stored

    def transaction(self, name: str, bundle: Resource) -> None:
        """Post a transaction: all of it is stored, or nothing."""
        answer = self._post(bundle)
        if answer.status_code != httpx.codes.OK:
            self._load.refused[name] = _reason(answer.json(), str(answer.status_code))
            return
        for entry, response in zip(bundle["entry"], answer.json()["entry"], strict=True):
            self._stored(entry.get("fullUrl") or entry["request"]["url"], response["response"])

    def put(self, resources: list[Resource]) -> None:
        """Put resources in batches; those that stood in one another's way are sent once more, one by one."""
        again: list[Resource] = []
        for first in range(0, len(resources), _BATCH):
            again += self._batch(resources[first : first + _BATCH], once_more=True)
        for resource in again:
            self._batch([resource], once_more=False)

    def _batch(self, resources: list[Resource], *, once_more: bool) -> list[Resource]:
        entries = [{"resource": r, "request": {"method": "PUT", "url": _name(r)}} for r in resources]
        answer = self._post({"resourceType": "Bundle", "type": "batch", "entry": entries})
        answer.raise_for_status()
        again: list[Resource] = []
        for resource, entry in zip(resources, answer.json()["entry"], strict=True):
            response = entry["response"]
            status = response.get("status", _NO_STATUS)
            if status.startswith("2"):
                self._stored(_name(resource), response)
            elif once_more and status[:3] in _AGAIN:
                again.append(resource)
            else:
                self._load.refused[_name(resource)] = _reason(response.get("outcome", {}), status)
        return again

    def _post(self, bundle: Resource) -> httpx.Response:
        return self._http.post(self._hapi.base_url, content=json.dumps(bundle))

    def _stored(self, name: str, response: dict[str, Any]) -> None:
        self._load.ids[name] = response.get("location", name).partition("/_history/")[0]


def _name(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _reason(outcome: dict[str, Any], status: str) -> str:
    said = next((issue.get("diagnostics", "") for issue in outcome.get("issue", ())), "")
    return f"{status}: {said}"[:300]


def _documents(folder: Path) -> Iterator[tuple[str, Resource]]:
    """Every resource of a folder by its file name, in the order of names."""
    for path in sorted(folder.glob("*.json")):
        yield path.stem, json.loads(path.read_bytes())
