"""The option `--at`: the moment of assessment."""

from typing import Any

import click

from service.clock import Moment


class MomentType(click.ParamType[Moment]):
    name = "DATE|TIME|latest"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Moment:
        if isinstance(value, Moment):
            return value
        try:
            return Moment.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def at_option(command: Any) -> Any:
    """Adds `--at` to a command, as `at: Moment`."""
    option = click.option(
        "--at",
        type=MomentType(),
        default="now",
        show_default=True,
        metavar=MomentType.name,  # click would write LATEST, which is not understood
        help="Moment of assessment.",
    )
    return option(command)
