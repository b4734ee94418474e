"""The least that an explained hook call can cost on this stack, whatever its mapping and its card cost: four calls.

Each is one call into a library: the signature, typed decoding of the body (cheaper than parsing it), and the two graphs
of prognosis and explanation. The vector and the card are fixed. What the service adds to it is ours; what this adds to
the floor is not.
"""

import gc
import sys

import jwt
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.bodies import PACKAGE
from benchmarks.floor import CARD
from fhir_mappings.concepts import catalogue
from fhir_mappings.resources.r4 import AnyResource, Bundle
from models.features import FeatureVector
from models.package import Package


class _Call(msgspec.Struct):
    prefetch: dict[str, Bundle | AnyResource]


_decode = msgspec.json.Decoder(_Call).decode


def app(public_key: str) -> Starlette:
    """An app that answers what this key has signed; anything else raises."""
    signatures, key = jwt.PyJWS(algorithms=["ES384"]), jwt.PyJWK.from_json(public_key)
    schema = catalogue().schema
    network = Package.load(PACKAGE, schema).network("diagnosis")
    vector = FeatureVector.of(schema, {"demo_age_at_baseline": 66.0, "entity_nsclc": 1.0})

    async def answer(request: Request) -> Response:
        signatures.decode(request.headers["authorization"].removeprefix("Bearer "), key, ["ES384"])
        _decode(await request.body())
        network.predict(vector)
        network.explain(vector)
        return Response(CARD, media_type="application/json")

    return Starlette(routes=[Route("/cds-services/{service}", answer, methods=["POST"])])


def main() -> None:
    served = app(sys.argv[2])
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as in the service
    uvicorn.run(served, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning")


if __name__ == "__main__":
    main()
