"""How clients name the chart: by its bare id as CDS Hooks demands, or by a reference, as some do."""

import re

from service.fhir.origin import Base, NotABaseError

_ID = r"[A-Za-z0-9\-.]{1,64}"
_REFERENCE = re.compile(rf"(?:(?P<base>[^\s]*)/)?Patient/(?P<id>{_ID})(?:/_history/{_ID})?")


def patient_id_of(named: str, server: str) -> str:
    """The bare id that `named` states: itself, or that of a reference (relative, or absolute on `server`; versioned).

    Anything else, a Patient of another server above all, is left as it is, and so is no FHIR id.
    """
    match = _REFERENCE.fullmatch(named)
    if match is None or not (match["base"] is None or _is_same(match["base"], server)):
        return named
    return match["id"]


def _is_same(base: str, server: str) -> bool:
    try:
        return Base.parse(base) == Base.parse(server)
    except NotABaseError:
        return False
