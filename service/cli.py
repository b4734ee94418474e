"""The command `oncohooks`. Each command is imported when it is called, so that `--help` is instant.

The context's object stands for the network where one is given (tests).

Exit codes: 0 done, 1 the thing checked is not right, 2 wrong call, 3 something outside was not reachable.
"""

import os

import click

from service.commands.lazy import LazyCommands
from service.version import VERSION

# command -> where it is, and its line in `oncohooks --help`
_COMMANDS = {
    "serve": ("service.commands.serve:serve", "Run the service."),
    "check": ("service.commands.check:check", "Check configuration, model and FHIR servers, one line each."),
    "keys": ("service.commands.keys:keys", "Print the public keys to register at FHIR servers."),
    "score": ("service.commands.score:score", "Score one patient from a FHIR server or a Bundle file."),
    "hooks": ("service.commands.hooks:hooks", "Check CDS services, replay calls, write an EHR's set-up sheet."),
    "mapping": ("service.commands.mapping:mapping", "Explain what is read of records, and by which codes."),
    "feedback": ("service.commands.feedback:feedback", "Say what clinicians did with cards."),
    "cohort": ("service.commands.cohort:cohort", "Build and describe training cohorts."),
    "model": ("service.commands.model:model", "Train, evaluate and describe model packages."),
}


@click.group(
    cls=LazyCommands,
    places=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: ONCOHOOKS_AUTH=off ONCOHOOKS_FHIR=http://127.0.0.1:8080/fhir oncohooks serve",
)
@click.version_option(VERSION, prog_name="oncohooks")
def main() -> None:
    """Explained pan-cancer prognosis over CDS Hooks."""
    from service.site_folder import use_site_folder

    use_site_folder(os.environ)


if __name__ == "__main__":
    main()
