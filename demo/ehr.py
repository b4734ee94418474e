"""Plays an EHR against a CDS service: reads discovery, fills the prefetch, calls the hook, shows the card."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import httpx

SERVICE = "pan-cancer-prognosis"


class Reply(NamedTuple):
    status: int
    body: dict[str, Any]

    @property
    def card(self) -> dict[str, Any] | None:
        """The one card, None where the reply holds none."""
        cards = self.body.get("cards") or []
        return cards[0] if cards else None

    @property
    def assessment(self) -> dict[str, Any]:
        """The assessment object in the card's extension."""
        card = self.card
        if card is None:
            raise LookupError(f"no card in a reply of status {self.status}")
        found: dict[str, Any] = card["extension"]["org.oncohooks.assessment"]
        return found


class Ehr:
    """One EHR with its FHIR server, in front of one CDS service."""

    def __init__(self, service_url: str, fhir_url: str) -> None:
        self._service = service_url.rstrip("/")
        self._fhir = fhir_url.rstrip("/")
        self._http = httpx.Client(timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def templates(self) -> dict[str, str]:
        """The prefetch templates that discovery publishes."""
        answer = self._http.get(f"{self._service}/cds-services")
        answer.raise_for_status()
        services = {service["id"]: service for service in answer.json()["services"]}
        prefetch: dict[str, str] = services[SERVICE]["prefetch"]
        return prefetch

    def prefetch(self, patient_id: str, keys: Iterable[str] | None = None) -> dict[str, Any]:
        """What the templates bring, for all keys or some. An EHR sends the first page of a search as it came."""
        templates = self.templates()
        return {key: self._fetch(templates[key], patient_id) for key in (templates if keys is None else keys)}

    def open_chart(self, patient_id: str, prefetch: Mapping[str, Any] | None = None, **more: Any) -> Reply:
        """Call patient-view for a patient; `more` are further members of the request."""
        request: dict[str, Any] = {
            "hook": "patient-view",
            "hookInstance": str(uuid.uuid4()),
            "fhirServer": self._fhir,
            "context": {"userId": "Practitioner/demo", "patientId": patient_id},
            **more,
        }
        if prefetch is not None:
            request["prefetch"] = prefetch
        answer = self._http.post(f"{self._service}/cds-services/{SERVICE}", json=request)
        return Reply(answer.status_code, answer.json())

    def _fetch(self, template: str, patient_id: str) -> Any:
        path = template.replace("{{context.patientId}}", quote(patient_id, safe=""))
        answer = self._http.get(f"{self._fhir}/{path}", headers={"Cache-Control": "no-cache"})
        answer.raise_for_status()
        return answer.json()
