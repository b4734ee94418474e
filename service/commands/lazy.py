"""A group of commands that are imported when they are called, so that `--help` is instant."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from fhir_mappings.table_rows import CatalogueError, OverlayError
from service.commands.failure import Failure
from service.errors import TABLE, CallerError, FhirError, SettingsError, UnknownPatientError
from service.misspelt import meant

Places = Mapping[str, tuple[str, str]]  # command -> where it is ("module:name"), and its line in the group's --help


class LazyCommands(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def __init__(self, *args: Any, places: Places, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that is like one of ours is told with it."""
        if args and args[0] not in self._places and (likely := meant(args[0], self._places)):
            ctx.fail(f"no such command '{args[0]}'{likely}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._places.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; a wrong option of the group itself is told on one line."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _on_one_line(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it raises on purpose becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _on_one_line(error) from error
        except OverlayError as error:
            raise Failure(str(error), 2) from error
        except CatalogueError as error:
            raise Failure(str(error), 1) from error
        except (SettingsError, CallerError) as error:
            raise Failure(str(error), 2) from error
        except UnknownPatientError as error:
            raise Failure(f"{error}: check --patient, and that --fhir is the server it belongs to", 2) from error
        except FhirError as error:
            told = TABLE[error.category]
            raise Failure(f"{told.meaning.rstrip('.')} ({error}). {told.action}", 3) from error


def _on_one_line(error: click.UsageError) -> click.ClickException:
    """What click tells on four lines and more; a group without a command shows its help, as click does."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    told = " ".join(error.format_message().split()).rstrip(".")
    more = f" ({error.ctx.command_path} --help says more)" if error.ctx else ""
    return Failure(told + more, 2)
