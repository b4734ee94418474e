"""The option `--patient`."""

import re
from typing import Any

import click

_ADDRESS = re.compile(r"(?:Patient/)?([A-Za-z0-9.-]{1,64})")


class PatientType(click.ParamType[str]):
    name = "ID"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = _ADDRESS.fullmatch(str(value))
        if not found:
            self.fail("not a FHIR id (letters, digits, - and ., at most 64), nor Patient/ and one", param, ctx)
        return found[1]


def patient_option(command: Any) -> Any:
    """Adds `--patient` to a command, as `patient: str | None`."""
    option = click.option(
        "--patient",
        type=PatientType(),
        metavar="ID",
        help="The patient's id, needed with a server, or where a file holds several.",
    )
    return option(command)
