"""`oncohooks mapping`: how records are read."""

import click

from service.commands.lazy import LazyCommands

_COMMANDS = {
    "explain": ("service.commands.mapping_explain:explain", "Say of each resource of a file what was read."),
    "coverage": ("service.commands.mapping_coverage:coverage", "Count what is found in the records of many patients."),
    "validate": ("service.commands.mapping_validate:validate", "Check the codes of a site's folder, row by row."),
    "catalogue": ("service.commands.mapping_catalogue:catalogue", "Show the parameters with codes, units, windows."),
}


@click.group(cls=LazyCommands, places=_COMMANDS, epilog="Example: oncohooks mapping explain record.json --at latest")
def mapping() -> None:
    """Explain what is read of records, and by which codes."""
