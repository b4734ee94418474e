"""What a linter found, as text or JSON, and the exit code it means."""

import sys
from collections.abc import Mapping, Sequence

import click
import msgspec

from service.cds_hooks.lint.finding import Finding, summed_up


def report(ctx: click.Context, findings: Sequence[Finding], about: Mapping[str, object], *, as_json: bool) -> None:
    """Print the findings and end the command: 1 with an error among them, else 0. `about` is told in JSON only."""
    if as_json:
        write_json({**about, "findings": findings})
    else:
        for finding in findings:
            click.echo(finding.line)
        click.echo(summed_up(findings))
    ctx.exit(1 if any(finding.is_error for finding in findings) else 0)


def write_json(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value)) + b"\n")
