"""The settings of a command that reads one FHIR server, named on the command line."""

from typing import Any

from service.errors import SettingsError
from service.settings import Settings


def settings_for(address: str, **options: Any) -> Settings:
    """Settings with this server only: the site's entry for it, credentials included, else one with nothing but it.

    Raises SettingsError.
    """
    own = Settings.read(**options)  # before the address, so that an error in it is the address's
    try:
        alone = Settings.read(**options, fhir=[{"url": address}])
    except SettingsError as error:
        raise SettingsError(f"--fhir: {str(error).removeprefix('fhir 1: url: ')}") from None
    known = [server for server in own.fhir if server.url == alone.fhir[0].url]
    return alone.model_copy(update={"fhir": (known[0],)}) if known else alone
