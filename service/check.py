"""What `oncohooks check` looks at: everything that must be right before a call can be answered."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from fhir_mappings.concepts import catalogue
from fhir_mappings.retrieval import Query
from fhir_mappings.table_rows import CatalogueError
from fhir_mappings.versions import version_of
from models.package import Package, PackageError
from service.app import destinations_of, opens, reach_of
from service.authority_check import authority
from service.cds_hooks.client_keys import KeySet, KeysUnavailableError
from service.check_line import NOBODY, Line
from service.ehr_settings import EhrClient
from service.errors import FhirError, RefusedError, SettingsError, TimedOutError, UnknownPatientError, UnreachableError
from service.fhir.capability import STATEMENT, CapabilityStatement
from service.fhir.client import FhirClient, open_http
from service.fhir.exchange import Reply
from service.fhir.paging import Bounds, Search
from service.fhir.unreachable import why
from service.quiet_settings import RestrictedRecords
from service.settings import Settings
from service.settings import State as StateSettings
from service.site_queries import needed_types, site_queries

_SKEW_SECONDS = 60.0
_DATE_SECONDS = 2.5  # a date header has whole seconds, and the answer took its time
_NOT_REDIS = "it refuses what is asked, or is no Redis"
_NOT_THE_BASE = "check that url is the FHIR base address"
_WHEN_401 = "set [fhir.backend] or [fhir.basic], or see that every hook call brings a token (docs/authorisation.md)"


async def examine(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Line]:
    """Check everything, in the order in which it would fail, and say each thing when it is known."""
    yield _configuration(settings)
    for warning in settings.warnings():
        yield Line("configuration", "note", warning)
    yield (codes := _site_codes())
    if codes.state == "red":
        return  # nothing can be read, and so nothing else be tried
    yield _model(settings)
    if settings.state.redis is not None or settings.state.file is not None:
        yield await _state(settings.state)
    async with open_http(transport, destinations_of(settings)) as http:
        reach = reach_of(settings, http)
        for number, server in enumerate(reach.servers, 1):
            for line in await _server(f"fhir {number}", server, reach.bounds, settings.restricted):
                yield line
        await reach.servers.close()
        for number, client in enumerate(settings.client, 1):
            yield await _keys(f"client {number} keys", client, http)


def _configuration(settings: Settings) -> Line:
    told = f"auth {settings.auth}, clock {settings.clock}, FHIR servers: {len(settings.fhir)}"
    if not settings.fhir:
        return Line("configuration", "note", told, "without [[fhir]] only complete prefetch can be scored")
    return Line("configuration", "ok", told)


def _site_codes() -> Line:
    try:
        site = catalogue().site
    except CatalogueError as error:
        return Line("site codes", "red", str(error), "correct it (oncohooks mapping validate --site DIR names all)")
    told = f"{len(site.codes)} of its own, digest {site.digest}" if site.codes else "none of its own"
    return Line("site codes", "ok", told)


def _model(settings: Settings) -> Line:
    try:
        package = Package.load(settings.model, catalogue().schema)
    except PackageError as error:
        return Line("model", "red", str(error), "restore the package from its source, or set model to another folder")
    return Line("model", "ok", f"{package.name} {package.version}, digest {package.digest[:12]}")


async def _state(state: StateSettings) -> Line:
    """Whether tokens, feedback and what was shown can be kept."""
    if state.redis is not None:
        redis = Redis.from_url(state.redis.get_secret_value(), socket_timeout=2, socket_connect_timeout=2)
        try:
            await redis.ping()
        except (RedisError, OSError) as error:
            told = f"state.redis: {why(error, _NOT_REDIS)}"
            return Line("state", "unreachable", told, "check address, password, network and that Redis runs")
        finally:
            await redis.aclose()
        return Line("state", "ok", "Redis answers")
    try:
        opens(state.file or Path())
    except SettingsError as error:
        return Line("state", "red", str(error), "make its folder, and let the service write there")
    return Line("state", "ok", f"{state.file}")


async def _server(item: str, server: FhirClient, bounds: Bounds, rules: RestrictedRecords) -> list[Line]:
    own = await authority(item, server, rules)
    if any(line.state in {"red", "unreachable"} for line in own):
        return own  # every request would fail for the same reason
    return [*own, *await _served(item, server, bounds, rules)]


async def _served(item: str, server: FhirClient, bounds: Bounds, rules: RestrictedRecords) -> list[Line]:
    try:
        reply = await server.read(STATEMENT)
    except (UnreachableError, TimedOutError) as error:
        told = f"{server.base.url}: {error}"
        return [Line(item, "unreachable", told, "check url, network, ca_file and that the server runs")]
    except FhirError as error:
        return [Line(item, "red", f"{server.base.url}: {error}", _NOT_THE_BASE)]
    return [_version(item, server, reply), _clock(item, reply), *await _searches(item, server, bounds, rules)]


async def _keys(item: str, client: EhrClient, http: httpx.AsyncClient) -> Line:
    keys = KeySet(client.jwks_url, http)
    try:
        usable = await keys.usable()
    except KeysUnavailableError:
        action = "check jwks_url, the network, and that a JSON Web Key Set is there"
        return Line(item, "unreachable", f"{client.jwks_url}: no key set", action)
    if not usable:
        return Line(item, "red", f"{client.jwks_url}: no key for ES384 or RS384", "ask the EHR's administrators")
    return Line(item, "ok", f"{client.jwks_url}: {usable} for ES384 or RS384")


def _version(item: str, server: FhirClient, reply: Reply) -> Line:
    try:
        statement = msgspec.json.decode(reply.body, type=CapabilityStatement)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Line(
            item, "red", f"{server.base.url}: no CapabilityStatement", "check that url is the FHIR base address"
        )
    told = f"{server.base.url}: FHIR {statement.fhirVersion}, {statement.software.name} {statement.software.version}"
    version = version_of(statement.fhirVersion)
    if version is None:
        return Line(item, "red", told.strip(), "FHIR R4 (4.0), R4B (4.3) or R5 (5.0) is needed")
    if server.knows_version and server.version != version:
        return Line(item, "red", told.strip(), f"set version of this server to {version}, or leave it out")
    return Line(item, "ok", told.strip(" ,"))


def _clock(item: str, reply: Reply) -> Line:
    try:
        skew = (datetime.now(UTC) - parsedate_to_datetime(reply.date)).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return Line(f"{item} clock", "note", "the server does not state its time")
    told = f"{abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} this machine"
    if abs(skew) < _DATE_SECONDS:
        return Line(f"{item} clock", "ok", "agrees with this machine's")
    if abs(skew) > _SKEW_SECONDS:
        return Line(f"{item} clock", "red", told, "set both clocks by NTP")
    return Line(f"{item} clock", "ok", told)


async def _searches(item: str, server: FhirClient, bounds: Bounds, rules: RestrictedRecords) -> list[Line]:
    """Try every query for a patient who does not exist."""
    name, lines, refused = f"{item} searches", [], []
    asked = site_queries(rules)
    for query in asked:
        try:
            found = await _trial(server, query, bounds)
        except RefusedError as error:
            refused.append((query, error.status))
        except FhirError as error:
            lines.append(Line(name, "unreachable", f"{query.key}: {error.category}", "look into the server's log"))
        else:
            if found:
                told = f"{query.key}: {found} entries for a patient who does not exist"
                lines.append(Line(name, "red", told, "the server ignores `patient`: do not use it with this service"))
    return [*_allowed(name, len(asked), refused, needed_types(rules)), *lines]


async def _trial(server: FhirClient, query: Query, bounds: Bounds) -> int:
    try:
        answer = await Search(server, query, NOBODY, "", bounds, needed=True).read()
    except UnknownPatientError:
        return 0
    return len(answer.entries)


def _allowed(name: str, asked: int, refused: Sequence[tuple[Query, int]], needed: Sequence[str]) -> list[Line]:
    if not refused:
        return [Line(name, "ok", f"all {asked} are answered")]
    told = "refused: " + ", ".join(f"{query.key} (HTTP {status})" for query, status in refused)
    if any(status == httpx.codes.UNAUTHORIZED for _, status in refused):
        return [Line(name, "red", told, _WHEN_401)]
    if any(query.type in needed for query, _ in refused):
        return [Line(name, "red", told, f"allow {' and '.join(needed)}: without them nothing can be scored")]
    return [Line(name, "note", told, "what these would find stays unknown, unless the client sends it")]
