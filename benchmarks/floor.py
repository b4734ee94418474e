"""The least that any service on this stack can do: parse the body as JSON, answer a fixed card."""

import gc
import sys

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CARD = orjson.dumps({"cards": [{"summary": "floor", "indicator": "info", "source": {"label": "floor"}}]})


async def answer(request: Request) -> Response:
    orjson.loads(await request.body())
    return Response(CARD, media_type="application/json")


app = Starlette(routes=[Route("/cds-services/{service}", answer, methods=["POST"])])


def main() -> None:
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as in the service
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning")


if __name__ == "__main__":
    main()
