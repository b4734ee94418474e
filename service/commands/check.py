"""`oncohooks check`."""

import asyncio
import os
import sys

import click
import msgspec

from service.check import examine
from service.check_line import Line
from service.errors import SettingsError
from service.settings import Settings


@click.command(epilog="Example: ONCOHOOKS_SITE=/etc/oncohooks oncohooks check")
@click.option("--json", "as_json", is_flag=True, help="The lines as JSON.")
@click.pass_context
def check(ctx: click.Context, *, as_json: bool) -> None:
    """Check configuration, model and FHIR servers; a red line says what to do.

    Exit code 1: something is red; 3: nothing is, but something outside could not be reached.
    """
    lines: list[Line] = []

    def say(line: Line) -> None:
        lines.append(line)
        if not as_json:
            click.echo(line.text())

    async def run(settings: Settings) -> None:
        async for line in examine(settings, ctx.obj):  # obj: a transport in place of the network
            say(line)

    if "ONCOHOOKS_SITE" not in os.environ:
        say(Line("configuration", "note", "no site.toml is read", "set ONCOHOOKS_SITE to the folder it lies in"))
    try:
        asyncio.run(run(Settings.read()))
    except SettingsError as error:
        say(Line("configuration", "red", str(error), "correct site.toml or the environment (docs/settings.md)"))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(lines)) + b"\n")
    states = {line.state for line in lines}
    ctx.exit(1 if "red" in states else 3 if "unreachable" in states else 0)
