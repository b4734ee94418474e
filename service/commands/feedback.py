"""`oncohooks feedback report`."""

import asyncio
import sys

import click
import msgspec

from service.app import feedback_of
from service.clock import now
from service.commands.failure import Failure
from service.commands.progress import announced
from service.feedback_report import as_text, first_day, report_of
from service.settings import Settings
from service.state.feedback import Kept, StateDownError

_PATIENCE_SECONDS = 10.0


@click.group()
def feedback() -> None:
    """What clinicians did with cards."""


@feedback.command(
    short_help="Count acceptance and reasons to override.",
    epilog="Example: ONCOHOOKS_SITE=/etc/oncohooks oncohooks feedback report --weeks 4",
)
@click.option("--weeks", type=click.IntRange(1, 530), default=12, show_default=True, help="How many ISO weeks back.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
def report(weeks: int, *, as_json: bool) -> None:
    """Acceptance and override reasons by week, leading factor and cancer type.

    Reads the store that the service writes to: state.redis or state.file.
    """
    today = now().date()
    settings = Settings.read()
    _check_that_it_can_be_read(settings)

    async def read() -> Kept:
        store = feedback_of(settings, now, _PATIENCE_SECONDS)
        try:
            return await store.kept(first_day(today, weeks))
        finally:
            await store.close()

    try:
        with announced("Reading what was kept"):
            found = report_of(asyncio.run(read()), today, weeks)
    except StateDownError as error:
        raise Failure("state.redis or state.file: the store does not answer", 3) from error
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    else:
        click.echo(as_text(found))


def _check_that_it_can_be_read(settings: Settings) -> None:
    state = settings.state
    if state.redis is None and state.file is None:
        raise Failure("set state.redis or state.file: what a process keeps in its own memory nobody else can read", 2)
    if state.redis is None and state.file and not state.file.is_file():
        raise Failure(f"state.file: no file {state.file}", 2)
