"""`oncohooks mapping catalogue`."""

import csv
import io
import sys
from collections.abc import Sequence

import click
import msgspec

from fhir_mappings.catalogue_rows import ParameterRow, parameter_rows
from service.commands.catalogue_text import all_as_text, one_as_text
from service.commands.failure import Failure
from service.commands.table import terminal_width


@click.command(
    epilog="Example: oncohooks mapping catalogue lab_egfr_ckdepi  |  oncohooks mapping catalogue --csv > catalogue.csv"
)
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--json", "as_json", is_flag=True, help="A list of objects; with KEY, formula and sources of codes too.")
@click.option("--csv", "as_csv", is_flag=True, help="One row a parameter, its codes in one cell.")
def catalogue(keys: tuple[str, ...], *, as_json: bool, as_csv: bool) -> None:
    """Show the 350 parameters with their codes, units, ranges and windows; with KEY those parameters in full."""
    if as_json and as_csv:
        raise click.UsageError("give one of --json and --csv")
    rows = _chosen(keys)
    if as_json:
        sys.stdout.buffer.write(_json(rows, in_full=bool(keys)))
    elif as_csv:
        click.echo(_csv(rows), nl=False)
    elif keys:
        click.echo("\n\n".join(one_as_text(row, terminal_width()) for row in rows))
    else:
        click.echo(all_as_text(rows, terminal_width()))


def _chosen(keys: Sequence[str]) -> Sequence[ParameterRow]:
    rows = {row.key: row for row in parameter_rows()}
    for key in keys:
        if key not in rows:
            near = [name for name in rows if key.lower() in name]
            hint = f"; there are {', '.join(near[:5])}" if near else ""
            raise Failure(f"no parameter {key}{hint}", 2)
    return [rows[key] for key in dict.fromkeys(keys)] if keys else list(rows.values())


def _json(rows: Sequence[ParameterRow], *, in_full: bool) -> bytes:
    objects: list[dict[str, object]] = []
    for row in rows:
        one: dict[str, object] = dict(row.columns)
        one["codes"] = (
            row.codes if in_full else [{"system": c.system, "code": c.code, "meaning": c.meaning} for c in row.codes]
        )
        if in_full and row.formula is not None:
            one["formula"] = row.formula
        objects.append(one)
    return msgspec.json.format(msgspec.json.encode(objects)) + b"\n"


def _csv(rows: Sequence[ParameterRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*rows[0].columns, "codes", "formula", "formula_source"])
    for row in rows:
        codes = " ".join(f"{code.system}|{code.code}" for code in row.codes)
        formula = (row.formula.formula, row.formula.source) if row.formula else ("", "")
        writer.writerow([*row.columns.values(), codes, *formula])
    return text.getvalue()
