"""`oncohooks hooks setup-sheet`."""

from typing import get_args

import click

from service.cds_hooks.setup_sheet import setup_sheet as sheet_of
from service.commands.failure import Failure
from service.commands.findings import write_json
from service.commands.setup_sheet_text import as_markdown
from service.ehr_settings import DialectName
from service.settings import Settings


@click.command(epilog="Example: ONCOHOOKS_SITE=/etc/oncohooks oncohooks hooks setup-sheet --dialect epic > epic.md")
@click.option("--dialect", type=click.Choice(get_args(DialectName)), required=True, help="The kind of EHR.")
@click.option("--json", "as_json", is_flag=True, help="The sheet as JSON.")
def setup_sheet(dialect: DialectName, *, as_json: bool) -> None:
    """Write what an EHR's analyst must type in so that it calls this site's services, as Markdown.

    From the settings of the site: addresses, tokens, prefetch templates, override reasons, what is odd about the kind
    of EHR, and what to test first. It holds no secret.
    """
    settings = Settings.read()
    if not settings.public_url:
        raise Failure("public_url: is not set; it is the address that the EHR calls, from which all others follow", 1)
    sheet = sheet_of(settings, settings.public_url, dialect)
    if as_json:
        write_json(sheet)
    else:
        click.echo(as_markdown(sheet))
