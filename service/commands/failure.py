"""An error of a command, told on one line."""

import click


class Failure(click.ClickException):
    """Ends the command with `exit_code`: 1 the thing checked is not right, 2 wrong call, 3 something not reachable."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code: int = code  # type: ignore[misc] # click declares it for the class, and reads it from the object
