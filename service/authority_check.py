"""What `oncohooks check` says of the service's own authority on a server: discovery, token, one authorised read."""

from fhir_mappings.resources.r4 import Condition
from service.check_line import NOBODY, Line
from service.errors import FhirError, NotAuthorisedError, RefusedError, TimedOutError, UnreachableError
from service.fhir.backend_services import BackendServices
from service.fhir.client import FhirClient
from service.fhir.scopes import searched_types
from service.quiet_settings import RestrictedRecords
from service.site_queries import needed_types, site_queries

_SETTINGS = "compare [fhir.backend] with the registration (docs/authorisation.md)"
_READ = f"{Condition.__name__}?patient={NOBODY}&_count=1"
_NOT_ALLOWED = frozenset({401, 403})


async def authority(item: str, server: FhirClient, rules: RestrictedRecords) -> list[Line]:
    """The lines of one server; none where the service has no credentials of its own there."""
    own = server.credentials
    if own is None:
        return []
    lines = await _token(item, own, rules) if isinstance(own, BackendServices) else []
    if any(line.state in {"red", "unreachable"} for line in lines):
        return lines
    return [*lines, await _read(f"{item} read", server)]


async def _token(item: str, own: BackendServices, rules: RestrictedRecords) -> list[Line]:
    discovery, token = f"{item} discovery", f"{item} token"
    try:
        endpoint = await own.endpoint()
    except NotAuthorisedError as error:
        return [_no_token(discovery, error)]
    found = Line(discovery, "ok", f"tokens from {endpoint}")
    try:
        held = await own.token()
    except NotAuthorisedError as error:
        return [found, _no_token(token, error)]
    told = f"for {held.seconds:g} s: {_printable(held.scope)}"
    kinds, needed = searched_types(site_queries(rules)), needed_types(rules)
    missing = [kind for kind in kinds if not own.may_read(kind)]
    parts = [kind for kind in kinds if own.reads_part_of(kind)]
    if not set(needed).isdisjoint(missing):
        action = f"have the client granted {' and '.join(needed)}: without them nothing can be scored"
        return [found, Line(token, "red", told, action)]
    if missing or parts:
        said = [f"not granted: {', '.join(missing)}"] if missing else []
        said += [f"granted in part: {', '.join(parts)}"] if parts else []
        return [found, Line(token, "note", told, f"{'; '.join(said)}: what is there stays unknown")]
    return [found, Line(token, "ok", told)]


def _no_token(item: str, error: NotAuthorisedError) -> Line:
    if error.unreachable:
        return Line(item, "unreachable", str(error), "check url, token_url, network and that the server runs")
    return Line(item, "red", str(error), _SETTINGS)


async def _read(item: str, server: FhirClient) -> Line:
    """Whether the server takes what the service shows."""
    try:
        await server.read(_READ)
    except RefusedError as error:
        if error.status in _NOT_ALLOWED:
            action = "the FHIR server does not take the service's credentials: ask its administrators"
            return Line(item, "red", str(error), action)
    except (UnreachableError, TimedOutError) as error:
        told = f"{server.base.url}: {error}"
        return Line(item, "unreachable", told, "check url, network and that the server runs")
    except FhirError as error:
        return Line(item, "note", str(error), "see the lines below")
    return Line(item, "ok", "the server lets the service read")


def _printable(text: str) -> str:
    """Scopes as a server wrote them, without what would move a terminal's cursor, and not without end."""
    return "".join(c if c.isprintable() else "?" for c in text[:1_000])
