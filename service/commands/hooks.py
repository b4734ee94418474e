"""`oncohooks hooks`: the integration engineer's kit, for any CDS service."""

import click

from service.commands.lazy import LazyCommands

_COMMANDS = {
    "lint-discovery": ("service.commands.hooks_lint_discovery:lint_discovery", "Check what a service says of itself."),
    "lint-card": ("service.commands.hooks_lint_card:lint_card", "Check a reply with cards, from a file."),
    "replay": ("service.commands.hooks_replay:replay", "Send recorded hook calls to a service."),
    "setup-sheet": ("service.commands.hooks_setup_sheet:setup_sheet", "Write what an EHR's analyst must type in."),
}


@click.group(cls=LazyCommands, places=_COMMANDS, epilog="Example: oncohooks hooks lint-card reply.json")
def hooks() -> None:
    """Check CDS services and connect EHRs to them; all but the set-up sheet is for any service."""
