"""One patient's record by every way it can come: a Bundle, prefetch, searches, and the cache."""

import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from demo.fhir_endpoint import create_endpoint
from fhir_mappings.decoding import Decoded, decode
from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import queries
from service.clock import now
from service.commands.bundle import record_of
from service.fhir.background import Background
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.gather import PatientCall, Reach, whole
from service.fhir.origin import Base
from service.fhir.paging import Bounds
from service.fhir.record_cache import RecordCache
from service.state.expiring import ExpiringStore
from service.state.feedback import ProcessFeedback
from service.state.site_key import SiteKey
from service.state.vault import Vault

FHIR = "http://fhir.example/fhir"


class Ways:
    """A FHIR server with these resources, and a service that reads from it."""

    def __init__(
        self, resources: Iterable[Mapping[str, Any]], http: httpx.AsyncClient, caches: Mapping[str, Any]
    ) -> None:
        self._resources = list(resources)
        self._http = http
        self._background = Background()
        servers = FhirServers([FhirClient(Base.parse(FHIR), http, 60.0, 2**26)])
        self._reach = Reach(servers, Bounds(100, 10_000), 12, 60.0, 60.0, background=self._background)
        key = SiteKey(ProcessFeedback(now, 1), "k" * 32)
        self._caches = {
            name: RecordCache(Vault(store, key, 60.0), 60, 900, lambda _: None) for name, store in caches.items()
        }

    async def records(self, patient: str) -> dict[str, PatientRecord]:
        """The record by every way, by the way's name."""
        found = {"bundle": self.from_bundle(patient), "prefetch": await self.from_prefetch(patient)}
        for name, cache in self._caches.items():
            reach = msgspec.structs.replace(self._reach, cache=cache)
            found["search"] = await whole(PatientCall(patient, FHIR), reach, queries())
            await self._background.settled()
            found[name] = await whole(PatientCall(patient, FHIR), reach, queries())
            # what is partial is not kept: an example of R4 refers to a product that is not among them
            assert {line.via for line in found[name].retrieval if line.state != "partial"} == {"cache"}
        return found

    def from_bundle(self, patient: str) -> PatientRecord:
        entries = [{"resource": resource} for resource in self._resources]
        body = msgspec.json.encode({"resourceType": "Bundle", "type": "collection", "entry": entries})
        return record_of(decode(body), patient)

    async def from_prefetch(self, patient: str) -> PatientRecord:
        """What a client sends that fills every key, paged to the end."""
        sent = {query.key: await self._everything(query.url(patient)) for query in queries()}
        return await whole(PatientCall(patient, "", sent), self._reach, queries())

    async def _everything(self, address: str) -> Decoded:
        pages = [decode((await self._http.get(f"{FHIR}/{address}")).content)]
        while pages[-1].next:
            pages.append(decode((await self._http.get(pages[-1].next)).content))
        entries = itertools.chain.from_iterable(page.entries for page in pages)
        return Decoded(tuple(entries), tuple(issue for page in pages for issue in page.issues))


@asynccontextmanager
async def ways(resources: Iterable[dict[str, Any]], caches: Mapping[str, ExpiringStore]) -> AsyncIterator[Ways]:
    listed = list(resources)
    async with open_http(httpx.ASGITransport(create_endpoint(listed))) as http:
        yield Ways(listed, http, caches)
