"""An emergency department calls the real service over HTTP, which reads a real HAPI FHIR server."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.service_process import service
from tests.app.emergency_calls import NOW, PATH, STREAM, at_hand
from tests.conftest import ROOT
from tests.integration.hapi_server import Hapi
from tests.integration.missing import missing

PATIENT = "emergency-1"
SHOWN_URL, SHOWN_PATIENT = "http://127.0.0.1:8000", "demo-emergency"  # in the examples of the page
LONG = {"deadlineMs": 60_000}
PAGE = (ROOT / "docs/emergency.md").read_text(encoding="utf-8")


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    """As a department puts it together: its entries are on no server."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


@pytest.fixture(scope="module")
def url(hapi: Hapi) -> Iterator[str]:
    """The service, half an hour after the patient of the example arrived; HAPI has the patient's chart."""
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in at_hand(PATIENT)
    ]
    chart = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    httpx.post(hapi.base_url, json=chart, timeout=60, trust_env=False).raise_for_status()
    with service(hapi.base_url, clock=NOW.isoformat()) as address:
        yield address


def block(language: str) -> str:
    """The one code block of the page in this language, with more patience: this HAPI may have to share its machine."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert '"deadlineMs": 3000' in found
    return str(found).replace('"deadlineMs": 3000', '"deadlineMs": 60000')


def assessments(text: str) -> list[dict[str, Any]]:
    """The data of all events, each of which must be an assessment."""
    names = re.findall(r"^event: (.*)$", text, re.MULTILINE)
    found = [json.loads(data) for data in re.findall(r"^data: (.*)$", text, re.MULTILINE)]
    ids = [int(number) for number in re.findall(r"^id: (\d+)$", text, re.MULTILINE)]
    assert set(names) == {"assessment"}
    assert [one["update"]["number"] for one in found] == ids == list(range(ids[0], ids[0] + len(ids)))
    return found


def stream(url: str, **call: object) -> list[dict[str, Any]]:
    answer = httpx.post(url + PATH, json={**LONG, **call}, headers=STREAM, timeout=60, trust_env=False)
    assert answer.status_code == 200
    assert answer.text.startswith("retry: ")
    return assessments(answer.text)


def test_the_line_of_the_page_shows_the_stream(url: str) -> None:
    """The curl command of docs/emergency.md prints events, the last of them final."""
    if shutil.which("curl") is None:
        missing("curl is not installed")
    line = block("sh").replace(SHOWN_URL, url).replace(SHOWN_PATIENT, PATIENT)
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=60, check=True)
    *_, last = assessments(done.stdout)
    assert (last["status"], last["update"]["final"]) == ("scored", True)
    assert last["setting"]["key"] == "acute"


def test_the_program_of_the_page_follows_the_stream(url: str, tmp_path: Path) -> None:
    """The Python client of docs/emergency.md prints each answer and ends with the last."""
    program = tmp_path / "watch.py"
    program.write_text(block("python"))
    command = [sys.executable, str(program), url]
    done = subprocess.run([*command, PATIENT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(re.fullmatch(r"\d+ \d+ to \d+ of 100", line) for line in done.stdout.splitlines())
    unknown = subprocess.run([*command, "nobody-here"], capture_output=True, text=True, timeout=60, check=False)
    assert unknown.returncode == 1
    assert "knows no such patient" in unknown.stderr


def test_what_is_at_hand_is_refined_by_what_hapi_holds(url: str) -> None:
    """The Bundle is scored first, then the chart; a value that only the chart has is told as the change."""
    first, *_, last = stream(url, patientId=PATIENT, bundle=bundle(*at_hand(PATIENT)[:-1]))
    assert {line["state"] for line in first["retrieval"][1:]} == {"failed"}
    assert {line["state"] for line in last["retrieval"]} <= {"complete", "empty"}
    values = [{factor["feature"] for factor in one["attribution"]} for one in (first, last)]
    assert values[1] - values[0] == {"lab_albumin"}


def test_the_ways_to_ask_have_one_answer(url: str) -> None:
    """Bundle alone, id alone and both give the same position; the stream's last answer is that of JSON."""
    calls: list[dict[str, Any]] = [
        {"bundle": bundle(*at_hand(PATIENT))},
        {"patientId": PATIENT},
        {"patientId": PATIENT, "bundle": bundle(*at_hand(PATIENT))},
    ]
    once = [httpx.post(url + PATH, json={**LONG, **call}, timeout=60, trust_env=False).json() for call in calls]
    streamed = [stream(url, **call)[-1] for call in calls]
    assert len({json.dumps(one["position"]) for one in (*once, *streamed)}) == 1


def test_many_emergencies_at_once_all_end(url: str) -> None:
    """Twenty streams side by side, some of them left in the middle: the others end with a final event."""

    async def one(client: httpx.AsyncClient, number: int) -> str:
        text, call = "", {"patientId": PATIENT, "bundle": bundle(*at_hand(PATIENT))}
        async with client.stream("POST", url + PATH, json=call, headers=STREAM) as answer:
            async for part in answer.aiter_text():
                text += part
                if number % 4 == 0:
                    return ""
        return text

    async def go() -> list[str]:
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            return list(await asyncio.gather(*(one(client, number) for number in range(20))))

    ended = [text for text in asyncio.run(go()) if text]
    assert len(ended) == 15
    assert all(assessments(text)[-1]["update"]["final"] for text in ended)
