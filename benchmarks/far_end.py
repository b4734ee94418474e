"""A FHIR server that takes 20 ms for every answer: one made-up record under any patient id.

Of a patient whose id begins with `slow` the laboratory never arrives. `python -m benchmarks.far_end PORT MOMENT`.
"""

import asyncio
import json
import sys
from datetime import datetime

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.bodies import PATIENT, emergency_record, searchset

SECONDS = 0.02
SLOW = "slow"
_NEVER_SECONDS = 60.0
_JSON = "application/fhir+json"


class FarEnd:
    """Answers reads of the Patient, and searches by type and codes."""

    def __init__(self, now: datetime) -> None:
        self._patient, *self._others = emergency_record(now, repeats=20)

    async def read(self, request: Request) -> Response:
        await asyncio.sleep(SECONDS)
        return self._answer(self._patient, request.path_params["id"])

    async def search(self, request: Request) -> Response:
        kind, asked = request.path_params["kind"], request.query_params
        if "patient" not in asked:  # the CapabilityStatement, which it does not have
            return Response(status_code=404)
        codes = set(asked.get("code", "").split(",")) - {""}
        found = [r for r in self._others if r["resourceType"] == kind and (not codes or codes & _codes(r))]
        is_laboratory = kind == "Observation" and "2951-2" in codes
        late = is_laboratory and asked["patient"].startswith(SLOW)
        await asyncio.sleep(_NEVER_SECONDS if late else SECONDS)
        return self._answer(searchset(found), asked["patient"])

    def _answer(self, body: object, patient: str) -> Response:
        text = json.dumps(body).replace(f"Patient/{PATIENT}", f"Patient/{patient}")
        return Response(text.replace(f'"id": "{PATIENT}"', f'"id": "{patient}"'), media_type=_JSON)


def _codes(resource: dict[str, object]) -> set[str]:
    code = resource.get("code")
    return {coding["code"] for coding in code["coding"]} if isinstance(code, dict) else set()


def main() -> None:
    far_end = FarEnd(datetime.fromisoformat(sys.argv[2]))
    app = Starlette(routes=[Route("/fhir/Patient/{id}", far_end.read), Route("/fhir/{kind}", far_end.search)])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning")


if __name__ == "__main__":
    main()
