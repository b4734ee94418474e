"""`oncohooks mapping validate`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from fhir_mappings.concepts import Concept, SiteCode, shipped
from fhir_mappings.site_codes import Overlay, read_overlay
from fhir_mappings.units import units
from service.commands.labels import printable
from service.commands.table import Column, table, terminal_width

_COLUMNS = (
    Column("Code", wraps=True),
    Column("Parameter", wraps=True),
    Column("Meaning", wraps=True),
    Column("Read as"),
    Column("Unit where there is none", wraps=True),
)


class Mapped(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One parameter that a code of the site states. Value in `assumed_unit`, times factor, plus offset, in `unit`."""

    system: str
    code: str
    parameter: str
    label: str
    meaning: str
    unit: str
    told: str
    stands_for: str = ""
    assumed_unit: str = ""
    factor: float | None = None
    offset: float | None = None


@click.command(
    epilog="Example: oncohooks mapping validate --site /etc/oncohooks  |  "
    "oncohooks mapping validate --site /etc/oncohooks --json"
)
@click.option(
    "--site",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with overlay.csv or ConceptMaps, that ONCOHOOKS_SITE names where the service runs.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.pass_context
def validate(ctx: click.Context, site: Path, *, as_json: bool) -> None:
    """Say what each code of a site means, and everything that is wrong with its table (docs/overlay.md).

    Exit code 1: something is wrong, and no command would read by this table.
    """
    overlay = read_overlay(site)
    mapped = list(_mapped(overlay))
    if as_json:
        digest = overlay.site.digest if not overlay.problems else ""
        shown = {"digest": digest, "codes": mapped, "problems": overlay.problems}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown)) + b"\n")
    else:
        for line in _as_text(overlay, mapped):
            click.echo(printable(line))
        for problem in overlay.problems:
            click.echo(printable(problem), err=True)
    ctx.exit(1 if overlay.problems else 0)


def _mapped(overlay: Overlay) -> Iterator[Mapped]:
    for (system, code), own in overlay.site.codes.items():
        for concept in own.concepts:
            yield _one(system, code, own, concept)


def _one(system: str, code: str, own: SiteCode, concept: Concept) -> Mapped:
    feature = shipped().schema[concept.key]
    conversion = units().conversion(feature, own.unit) if own.unit else None
    basis = concept.factor if concept.factor and "mol" not in own.unit else 1.0  # as results are read (answers.py)
    return Mapped(
        system,
        code,
        concept.key,
        feature.label_en,
        concept.meaning,
        feature.unit,
        own.told,
        "|".join(own.stands_for or ()),
        own.unit,
        conversion.factor * basis if conversion else None,
        conversion.offset * basis if conversion else None,
    )


def _as_text(overlay: Overlay, mapped: list[Mapped]) -> Iterator[str]:
    yield _summed_up(len(overlay.site.codes), len(overlay.problems), overlay.site.digest)
    for system in dict.fromkeys(one.system for one in mapped):
        yield f"  {system}"
        rows = [(one.code, f"{one.parameter} ({one.label})", one.meaning, one.stands_for.partition("|")[2], _unit(one))
                for one in mapped if one.system == system]  # fmt: skip
        yield from table(_COLUMNS, rows, terminal_width(), "    ")


def _summed_up(codes: int, problems: int, digest: str) -> str:
    if problems:
        return f"{codes} codes can be read by, {problems} problems"
    return f"{codes} codes, digest {digest}" if codes else "no codes: neither overlay.csv nor a ConceptMap holds any"


def _unit(one: Mapped) -> str:
    if not one.assumed_unit or one.factor is None:
        return ""
    factor = f" × {one.factor:g}" if one.factor != 1 else ""
    offset = f" + {one.offset:g}" if one.offset else ""
    return f"{one.assumed_unit}{factor}{offset} = {one.unit}"
