"""The command `oncohooks`. Each command is imported when it is called, so that `--help` is instant.

The context's object stands for the network where one is given (tests).

Exit codes: 0 done, 1 the thing checked is not right, 2 wrong call, 3 something outside was not reachable.
"""

from importlib import import_module
from typing import Any

import click

from service.commands.failure import Failure
from service.errors import TABLE, CallerError, FhirError, SettingsError, UnknownPatientError
from service.version import VERSION

# command -> where it is, and its line in `oncohooks --help`
_COMMANDS = {
    "serve": ("service.commands.serve:serve", "Run the service."),
    "check": ("service.commands.check:check", "Check configuration, model and FHIR servers, one line each."),
    "score": ("service.commands.score:score", "Score one patient from a FHIR server or a Bundle file."),
    "feedback": ("service.commands.feedback:feedback", "Say what clinicians did with cards."),
    "cohort": ("service.training_cli:cohort", "Build and describe training cohorts."),
    "model": ("service.training_cli:model", "Train, evaluate and describe model packages."),
}


class LazyCommands(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it raises on purpose becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except (SettingsError, CallerError, UnknownPatientError) as error:
            raise Failure(str(error), 2) from error
        except FhirError as error:
            raise Failure(f"{TABLE[error.category].meaning.rstrip('.')}: {error}", 3) from error


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: ONCOHOOKS_AUTH=off ONCOHOOKS_FHIR=http://127.0.0.1:8080/fhir oncohooks serve",
)
@click.version_option(VERSION, prog_name="oncohooks")
def main() -> None:
    """Explained pan-cancer prognosis over CDS Hooks."""


if __name__ == "__main__":
    main()
