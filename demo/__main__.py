"""`scripts/demo`: a FHIR server with demonstration patients, the service, one hook call, the card as people read it."""

import argparse
import json
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from demo.card_text import card_text, interaction_text
from demo.ehr import Ehr
from demo.fhir_endpoint import PATH, create_endpoint
from demo.patients import demo_bundle, demo_patients
from demo.server import ServerNotStartedError, in_thread
from demo.service_process import service

SHOWN_IN_FULL = "demo-lung"
SHOWN_ARRIVING = "demo-emergency"
SHOWN_PLANTED = "demo-treated"  # where the synthetic package has imaging and therapy to speak of
PACKAGES = Path(__file__).parents[1] / "models/packages"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the card: 0 with a card, 1 without")
    parser.add_argument("--fhir", metavar="hapi|URL", help="a real HAPI server, or one that runs, instead of ours")
    parser.add_argument("--patient", metavar="ID", help="the patient whose chart is opened (with --fhir URL)")
    parser.add_argument("--load", action="store_true", help="put the demonstration patients on the --fhir server first")
    parser.add_argument("--model", choices=["planted"], help="planted: a synthetic package with all modalities")
    chosen = parser.parse_args()
    if chosen.patient and not chosen.fhir:
        parser.error("--patient needs --fhir URL; the demonstration opens its own charts")
    if chosen.fhir and chosen.fhir != "hapi" and not chosen.fhir.startswith(("http://", "https://")):
        parser.error(f"--fhir {chosen.fhir}: neither hapi nor an address (http://host:port/path)")
    if chosen.fhir and chosen.fhir != "hapi" and not (chosen.patient or chosen.load):
        parser.error("--fhir URL needs --patient ID, or --load")
    return chosen


@contextmanager
def fhir_server(chosen: argparse.Namespace) -> Iterator[str]:
    """The base URL of the FHIR server that was asked for."""
    if chosen.fhir is None:
        everyone = (resource for chart in demo_patients().values() for resource in chart)
        with in_thread(create_endpoint(everyone), path=PATH) as url:
            yield url
    elif chosen.fhir == "hapi":
        from tests.integration.hapi_server import hapi_server  # noqa: PLC0415 - needs Java, and only here

        print("Starting HAPI: building takes a minute the first time, starting a quarter of one ...", file=sys.stderr)
        with hapi_server() as hapi:
            load(hapi.base_url)
            yield hapi.base_url
    else:
        if chosen.load:
            load(chosen.fhir)
        yield chosen.fhir.rstrip("/")


def load(base_url: str) -> None:
    """Put the demonstration patients on a FHIR server, with the ids they have here."""
    answer = httpx.post(
        base_url, json=demo_bundle(), headers={"Content-Type": "application/fhir+json"}, timeout=180, trust_env=False
    )
    if answer.is_error:
        raise SystemExit(f"{base_url} does not take the demonstration patients: HTTP {answer.status_code}")


def show(ehr: Ehr, patients: list[str], in_full: str) -> bool:
    """Open the charts one after the other; whether the one shown in full gave a card."""
    shown = False
    for patient_id in patients:
        reply = ehr.open_chart(patient_id, ehr.prefetch(patient_id))
        card = reply.card
        if card is None:
            print(f"{patient_id}: no card, HTTP {reply.status}\n{reply.body}", file=sys.stderr)
        elif patient_id == in_full:
            pairs = interaction_text(reply.assessment)
            print(f"\nChart of {patient_id}:\n{card_text(card)}\n{pairs}")
            shown = True
        else:
            print(f"{patient_id:22}{card['summary']}")
    return shown


def emergency_call(url: str, patient_id: str) -> str:
    """A line for a shell: the patient's assessments as they come (docs/emergency.md)."""
    body = json.dumps({"patientId": patient_id, "deadlineMs": 10_000})  # a sandbox on a busy machine is slow
    headers = " ".join(f"-H '{one}'" for one in ("Accept: text/event-stream", "Content-Type: application/json"))
    return f"Emergency   curl -sN {url}/emergency/assessments {headers} -d {shlex.quote(body)}"


def wait_for_end() -> None:
    """Until Ctrl-C or SIGTERM."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


def main() -> int:
    chosen = options()
    if chosen.patient:
        patients, in_full = [chosen.patient], chosen.patient
    else:
        in_full = SHOWN_PLANTED if chosen.model else SHOWN_IN_FULL
        patients = sorted(demo_patients(), key=lambda name: name != in_full)
    # charts of others are as old as their data; ours are dated from today
    clock = "latest" if chosen.patient else "now"
    model = {"model": str(PACKAGES / chosen.model)} if chosen.model else {}
    try:
        with (
            fhir_server(chosen) as fhir_url,
            service(
                fhir_url, clock=clock, demonstration=True, card__survival="detail", card__interactions="true", **model
            ) as url,
            Ehr(url, fhir_url) as ehr,
        ):
            shown = show(ehr, patients, in_full)
            print(f"\nDiscovery   {url}/cds-services\nModel       {url}/model\nFHIR server {fhir_url}")
            if not chosen.once:
                print(emergency_call(url, in_full if chosen.patient else SHOWN_ARRIVING))
                print("\nPoint a CDS Hooks client at the discovery address. Ctrl-C ends.", flush=True)
                wait_for_end()
            return 0 if shown else 1
    except httpx.RequestError as error:
        print(f"demo: {error.request.url} cannot be reached ({error})", file=sys.stderr)
        return 1
    except (ServerNotStartedError, httpx.HTTPError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
