"""One row of a site's table of codes, as it was written."""

import msgspec


class SiteRow(msgspec.Struct, frozen=True):
    """`target`: a parameter, or a public code (`system|code`) that the site's stands for. `place`: file and line."""

    place: str
    system: str
    code: str
    target: str
    meaning: str = ""
    unit: str = ""
