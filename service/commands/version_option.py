"""The option `--fhir-version` of commands that read files."""

from typing import Any, get_args

import click

from fhir_mappings.versions import DEFAULT, Version


def version_option(command: Any) -> Any:
    """Adds `--fhir-version` to a command, as `fhir_version: Version`."""
    option = click.option(
        "--fhir-version",
        type=click.Choice(get_args(Version)),
        default=DEFAULT,
        show_default=True,
        help="FHIR version of files; a server states its own.",
    )
    return option(command)
