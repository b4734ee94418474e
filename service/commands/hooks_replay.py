"""`oncohooks hooks replay`."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from service.cds_hooks.lint.document import NotThisError, read_document
from service.cds_hooks.lint.finding import Finding, counted
from service.cds_hooks.lint.reply import cards_of, lint_reply
from service.commands.cds_service import PATH, Answer, CdsService, address_of, opened, service_options
from service.commands.failure import Failure
from service.commands.findings import write_json
from service.commands.hook_calls_file import HookCall, hook_calls
from service.commands.labels import printable
from service.fhir.destinations import Destination
from service.fhir.origin import Base

_JSON = {"Content-Type": "application/json"}
_TOLD = 200  # characters of what a service says of a refusal


class Replayed(msgspec.Struct, frozen=True):
    """One call and what came of it. `said`: the summary of the first card, or why there is none."""

    number: int
    hook: str
    status: int
    milliseconds: float
    cards: int
    said: str
    findings: tuple[Finding, ...] = ()

    @property
    def is_right(self) -> bool:
        return self.status == 200 and not any(finding.is_error for finding in self.findings)

    def lines(self) -> Iterator[str]:
        cards = counted(self.cards, "card") if self.status == 200 else "-"
        said = printable(" ".join(self.said.split()))
        yield f"{self.number:>4}  {self.status}  {self.milliseconds:>7.0f} ms  {cards:<8} {said}".rstrip()
        for finding in self.findings:
            yield f"      {finding.line}"


@click.command(
    epilog="Example: oncohooks hooks replay calls.ndjson --url https://cds.example.org/cds-services/my-service"
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", required=True, help="Address of one service: …/cds-services/{id}.")
@service_options
@click.option("--save", type=click.Path(file_okay=False, path_type=Path), help="Folder for the replies: 0001.json, …")
@click.option("--json", "as_json", is_flag=True, help="What came of each call, as JSON.")
@click.pass_context
def replay(ctx: click.Context, /, file: Path, url: str, save: Path | None, *, as_json: bool, **way: Any) -> None:
    """Send recorded hook calls to a CDS service and check what it replies, one line a call.

    FILE is one hook request as JSON, or NDJSON of many, `.gz` too. Each is sent with a hookInstance of its own and
    otherwise as it was recorded: a fhirAuthorization in it has mostly expired. The exit code is 1 where a reply is not
    200 or breaks a SHALL of CDS Hooks 2.0. Replies hold what the requests do: the folder of --save is for its owner.
    """
    place = _service_of(url)
    calls = _read(file)
    if save:
        _prepare(save)
    done: list[Replayed] = []

    async def run() -> None:
        async with opened(place, ctx.obj, **way) as service:
            _say_who_gets_them(place, file)
            for call in calls:
                answer = await _sent(service, place, call)
                done.append(_judged(call, answer))
                if save:
                    _keep(save / f"{call.number:04}.json", answer.body)
                if not as_json:
                    click.echo("\n".join(done[-1].lines()))

    try:
        asyncio.run(run())
    finally:
        if as_json and done:
            write_json({"url": place.url, "calls": done})
    if not as_json:
        click.echo(_summed_up(done))
    ctx.exit(0 if all(one.is_right for one in done) else 1)


def _service_of(url: str) -> Base:
    place = address_of(url, "--url")
    above, _, name = place.path.rstrip("/").rpartition("/")
    if not name or not above.endswith(f"/{PATH}"):
        raise Failure(f"--url: must be the address of one service, …/{PATH}/{{id}}; discovery lists the ids", 2)
    return place


def _read(file: Path) -> list[HookCall]:
    try:
        return list(hook_calls(file))
    except NotThisError as error:
        raise Failure(f"{file}: {error}", 2) from None


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Failure(f"--save: {folder} is not empty", 2)
    except OSError as error:
        raise Failure(f"--save: {folder}: {error.strerror}", 2) from None


def _say_who_gets_them(place: Base, file: Path) -> None:
    if not Destination.of(place.url).is_loopback:
        open_way = "" if place.scheme == "https" else ", without TLS"
        click.echo(f"The patient data of {file} are sent to {place.root}{open_way}.", err=True)


async def _sent(service: CdsService, place: Base, call: HookCall) -> Answer:
    try:
        return await service.ask("POST", place.url, _JSON, call.anew())
    except Failure as error:
        raise Failure(f"call {call.number}: {error.message}", error.exit_code) from error


def _keep(file: Path, body: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened_file:
        opened_file.write(body)


def _judged(call: HookCall, answer: Answer) -> Replayed:
    about = (call.number, call.hook, answer.status, round(answer.milliseconds, 1))
    if answer.status != 200:
        return Replayed(*about, 0, _refusal(answer))
    try:
        document = read_document(answer.body)
        findings = lint_reply(document, call.patient)
    except NotThisError as error:
        return Replayed(*about, 0, "", (Finding("(body)", str(error), "SHALL", "74"),))
    cards = cards_of(document.value)
    summary = next((card["summary"] for card in cards if isinstance(card.get("summary"), str)), "")
    return Replayed(*about, len(cards), summary, tuple(findings))


def _refusal(answer: Answer) -> str:
    """What the service says of it: an OperationOutcome's words, else what can be told from the status."""
    if answer.leads_to:
        return f"a redirect to {answer.leads_to[:_TOLD]}, not followed"
    try:
        issue = msgspec.json.decode(answer.body, type=_Outcome).issue[0]
        said = issue.diagnostics or issue.details.text
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, IndexError):
        said = ""
    known = {401: "not admitted: --token-file, or --key with --issuer", 404: "no such service"}
    return said[:_TOLD] or known.get(answer.status, "")


class _Text(msgspec.Struct, frozen=True):
    text: str = ""


class _Issue(msgspec.Struct):
    diagnostics: str = ""
    details: _Text = _Text()


class _Outcome(msgspec.Struct):
    issue: list[_Issue]


def _summed_up(done: Sequence[Replayed]) -> str:
    wrong = sum(not one.is_right for one in done)
    slowest = max((one.milliseconds for one in done), default=0)
    return f"{counted(len(done), 'call')}, {wrong} not right, slowest {slowest:.0f} ms"
