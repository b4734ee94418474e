"""`oncohooks hooks lint-card`."""

import gzip
import sys
from pathlib import Path

import click

from service.cds_hooks.lint.document import NotThisError, read_document
from service.cds_hooks.lint.reply import cards_of, lint_reply
from service.commands.failure import Failure
from service.commands.findings import report


@click.command(epilog="Example: curl … | oncohooks hooks lint-card -")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
@click.pass_context
def lint_card(ctx: click.Context, file: Path, *, as_json: bool) -> None:
    """Check the reply of a CDS service (`{"cards": […]}`), one finding a line.

    FILE is JSON, `.gz` too; - is standard input. An error breaks a SHALL of CDS Hooks 2.0 and makes the exit code 1;
    a note is a recommendation, or what clients are known to stumble over. Numbers: docs/conformance.md.
    """
    name = "standard input" if str(file) == "-" else str(file)
    try:
        document = read_document(_content(file, name))
        findings = lint_reply(document)
    except NotThisError as error:
        raise Failure(f"{name}: {error}", 1) from None
    report(ctx, findings, {"file": name, "cards": len(cards_of(document.value))}, as_json=as_json)


def _content(file: Path, name: str) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError) as error:
        raise Failure(f"{name}: cannot be read, or is not what gzip writes ({type(error).__name__})", 2) from None
