"""The settings of a command that reads one FHIR server, named on the command line."""

from typing import Any

from service.settings import Settings


def settings_for(address: str, **options: Any) -> Settings:
    """Settings with this server only: the site's entry for it, credentials included, else one with nothing but it.

    Raises SettingsError.
    """
    alone = Settings.read(**options, fhir=[{"url": address}])
    known = [server for server in Settings.read(**options).fhir if server.url == alone.fhir[0].url]
    return alone.model_copy(update={"fhir": (known[0],)}) if known else alone
