"""The codes of a made-up site, for as long as a test reads by them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fhir_mappings.concepts import Catalogue, catalogue, use_site
from fhir_mappings.site_codes import site_codes

LAB = "https://hospital.example/lab"
HEAD = "system,code,parameter,meaning,unit"


def overlay(folder: Path, *rows: str) -> Path:
    """The folder, with these rows in its overlay.csv."""
    (folder / "overlay.csv").write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    return folder


def standing_for(folder: Path, codes: Mapping[str, tuple[str, str]]) -> Path:
    """The folder, with codes of the laboratory that stand for public ones."""
    return overlay(folder, *(f"{LAB},{own},{system}|{code},," for own, (system, code) in codes.items()))


@contextmanager
def reading_by(folder: Path) -> Iterator[Catalogue]:
    """The process is that of this site, and afterwards nobody's again; outside of tests it is one for good."""
    catalogue.cache_clear()
    use_site(lambda: site_codes(folder))
    try:
        yield catalogue()
    finally:
        catalogue.cache_clear()
        use_site(None)
