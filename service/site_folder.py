"""The folder of the site, `ONCOHOOKS_SITE`: the codes in it become those of this process."""

from collections.abc import Mapping
from pathlib import Path

from fhir_mappings.concepts import SiteCodes, use_site


def use_site_folder(environment: Mapping[str, str]) -> None:
    """Let this process read by the codes of its site's folder. They are read, and wrong ones refused, when needed.

    Raises AnotherSiteError where it already reads by others.
    """
    folder = environment.get("ONCOHOOKS_SITE")

    def read() -> SiteCodes:
        from fhir_mappings.site_codes import site_codes  # noqa: PLC0415 - every reader, and few commands need one

        return site_codes(Path(folder or ""))

    use_site(read if folder else None)
