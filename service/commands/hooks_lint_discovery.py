"""`oncohooks hooks lint-discovery`."""

import asyncio
from typing import Any

import click

from service.cds_hooks.lint.discovery import lint_discovery as lint_body
from service.cds_hooks.lint.document import Document, NotThisError, read_document
from service.cds_hooks.lint.finding import Finding, counted
from service.commands.cds_service import PATH, Answer, CdsService, address_of, opened, service_options
from service.commands.failure import Failure
from service.commands.findings import report
from service.fhir.destinations import Destination
from service.fhir.origin import Base

_SANDBOX = "https://sandbox.cds-hooks.org"


@click.command(epilog="Example: oncohooks hooks lint-discovery https://cds.example.org/cds-services")
@click.argument("url")
@service_options
@click.option("--origin", default=_SANDBOX, show_default=True, help="Web origin whose pages shall be able to call.")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
@click.pass_context
def lint_discovery(ctx: click.Context, /, url: str, origin: str, *, as_json: bool, **way: Any) -> None:
    """Check what a CDS service says of itself, prefetch templates included, one finding a line.

    URL is the base address of the service, or that of its /cds-services. An error breaks a SHALL of CDS Hooks 2.0 and
    makes the exit code 1; a note is a recommendation, or what clients are known to stumble over. Numbers:
    docs/conformance.md.
    """
    place = _discovery_of(address_of(url, "URL"))

    async def run() -> tuple[list[Finding], Document]:
        async with opened(place, ctx.obj, **way) as service:
            answer = await service.ask("GET", place.url, {"Origin": origin})
            document = _read(answer, place)
            found = [*_about_the_answer(answer, place), *lint_body(document)]
            return [*found, *await _about_browsers(service, answer, document, place, origin)], document

    findings, document = asyncio.run(run())
    if not as_json:
        click.echo(f"{place.url}: {counted(len(_services(document)), 'service')}")
    about = {"discovery": place.url, "services": [one.get("id") for one in _services(document)]}
    report(ctx, findings, about, as_json=as_json)


def _discovery_of(base: Base) -> Base:
    """The address of discovery, whether it or the base was named."""
    path = base.path if base.path.endswith(f"/{PATH}/") else f"{base.path}{PATH}/"
    return Base(base.scheme, base.host, base.port, path)


def _read(answer: Answer, place: Base) -> Document:
    """The body of a 200. Raises Failure (1) that says what came instead."""
    if answer.leads_to:
        told = f"{answer.status}, a redirect to {answer.leads_to[:200]}: clients need not follow it; name that address"
        raise Failure(f"{place.url}: {told} (SHALL 13)", 1)
    if answer.status in {401, 403}:
        raise Failure(f"{place.url}: {answer.status}: it wants a token; --token-file or --key with --issuer", 1)
    if answer.status != 200:
        raise Failure(f"{place.url}: {answer.status}, must be 200 (SHALL 13)", 1)
    try:
        return read_document(answer.body)
    except NotThisError as error:
        raise Failure(f"{place.url}: {error} (SHALL 1)", 1) from None


def _about_the_answer(answer: Answer, place: Base) -> list[Finding]:
    found = []
    if answer.media_type != "application/json":
        told = f"is {answer.media_type or 'missing'}; clients look for application/json"
        found.append(Finding("Content-Type", told, "advice", "1"))
    if place.scheme != "https" and not Destination.of(place.url).is_loopback:
        found.append(Finding("URL", "is no https: production data need TLS", "advice", "2"))
    return found


async def _about_browsers(
    service: CdsService, answer: Answer, document: Document, place: Base, origin: str
) -> list[Finding]:
    """Whether an EHR that runs in a browser could read discovery and call the first service (CORS)."""
    found = []
    if answer.headers.get("access-control-allow-origin") not in {"*", origin}:
        found.append(_not_for_browsers("GET", f"no Access-Control-Allow-Origin for {origin}"))
    ids = [one["id"] for one in _services(document) if isinstance(one.get("id"), str) and one["id"].isascii()]
    asked = [("GET", place.url), *[("POST", f"{place.url}/{name}") for name in ids[:1] if "/" not in name and name]]
    for method, url in asked:
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        if fault := _fault_of_preflight(await service.ask("OPTIONS", url, headers), origin):
            found.append(_not_for_browsers(f"OPTIONS {url}", fault))
    return found


def _fault_of_preflight(answer: Answer, origin: str) -> str:
    if not 200 <= answer.status < 300:
        return f"{answer.status}"
    if answer.headers.get("access-control-allow-origin") not in {"*", origin}:
        return f"no Access-Control-Allow-Origin for {origin}"
    allowed = {name.strip().lower() for name in answer.headers.get("access-control-allow-headers", "").split(",")}
    missing = [name for name in ("authorization", "content-type") if name not in allowed]
    return f"Access-Control-Allow-Headers lacks {', '.join(missing)}" if missing else ""


def _not_for_browsers(asked: str, fault: str) -> Finding:
    return Finding(asked, f"{fault}: an EHR in a browser cannot call", "advice", "208")


def _services(document: Document) -> list[dict[str, Any]]:
    body = document.value
    listed = body.get("services") if isinstance(body, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
