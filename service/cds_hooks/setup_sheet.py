"""What must be entered at an EHR so that it calls this site's services, from the settings of the site."""

from collections.abc import Mapping

import msgspec

from service.cds_hooks.dialects import DIALECTS, TOPICS
from service.cds_hooks.override_reasons import override_reasons
from service.cds_hooks.services import published
from service.cds_hooks.wire import Coding, Hook
from service.ehr_settings import DialectName
from service.language.sentences import language
from service.settings import Settings
from service.site_queries import site_queries


class Habits(msgspec.Struct, frozen=True):
    """How a kind of EHR is set up. `hooks`: those of ours that it is known to call; empty: any.

    `reads_discovery`: else services and templates are typed in by hand.
    """

    notes: tuple[str, ...]
    hooks: tuple[Hook, ...] = ()
    reads_discovery: bool = True


HABITS: Mapping[DialectName, Habits] = {
    "spec": Habits(("The EHR sends a new token with every call, discovery and feedback included.",)),
    "sandbox": Habits(
        (
            "The public sandbox signs as https://sandbox.cds-hooks.org, with a private key that is published.",
            'So anybody can sign as it: register it where there are test data only, or set auth = "off" there.',
            "It runs in a browser: its origin must be among cors_origins, and a page under https may not call http.",
            'A fault of any kind shows as "All clear!"; look into the browser\'s console.',
        ),
        ("patient-view", "order-sign"),
    ),
    # Epic's CDS Hooks tutorial
    "epic": Habits(
        (
            "Epic does not read discovery: each service is an endpoint of its own, with its templates typed in.",
            "The address must be the registered one letter for letter, also in `aud`: else calls come without data.",
            "patient-view serves every native trigger, admission and discharge included.",
            "Cards have a topic, `detail` is plain text, selectionBehavior is `any`; there are no suggestions.",
            "Links, the model's page among them, are shown only if they are on Epic's list.",
            "Repeat that list as [[client]] links: what is not on it is then left out here.",
            "Override reasons are mapped by hand, code by code, from the list below.",
        ),
        ("patient-view", "order-sign"),
        reads_discovery=False,
    ),
    # Oracle's page of 2021; what it demands today is not known
    "oracle": Habits(
        (
            "Oracle (as of 2021) registers services by a form and does not read discovery.",
            "It signed as https://cds-hooks.cerner.com then: ask for today's issuer and key address.",
            "Links that are not on its list are taken away. Repeat that list as [[client]] links.",
        ),
        ("patient-view",),
        reads_discovery=False,
    ),
}


class SheetService(msgspec.Struct, frozen=True, rename="camel"):
    """`is_called`: whether this kind of EHR is known to call its hook."""

    id: str
    hook: str
    title: str
    address: str
    feedback: str
    is_called: bool


class Template(msgspec.Struct, frozen=True, rename="camel"):
    """`by_hand`: worth typing; what is left out is read from `fhirServer`."""

    key: str
    query: str
    by_hand: bool


class Registered(msgspec.Struct, frozen=True, rename="camel"):
    """An EHR of this kind that may call."""

    label: str
    issuer: str
    jwks_url: str
    tenants: tuple[str, ...]
    links: tuple[str, ...]
    token_minutes: float


class SetupSheet(msgspec.Struct, frozen=True, rename="camel"):
    """`missing`: what is still to be set at our side."""

    dialect: str
    discovery: str
    reads_discovery: bool
    wants_tokens: bool
    services: tuple[SheetService, ...]
    templates: tuple[Template, ...]
    registered: tuple[Registered, ...]
    origins: tuple[str, ...]
    fhir_servers: tuple[str, ...]
    override_reasons: tuple[Coding, ...]
    topics: tuple[Coding, ...]
    notes: tuple[str, ...]
    missing: tuple[str, ...]


def setup_sheet(settings: Settings, public_url: str, dialect: DialectName) -> SetupSheet:
    habits, place = HABITS[dialect], f"{public_url}/cds-services"
    queries = site_queries(settings.restricted)
    services = published(settings, queries).services
    by_hand = {query.key for query in queries if query.by_hand}
    registered = _registered(settings, dialect)
    return SetupSheet(
        dialect=dialect,
        discovery=place,
        reads_discovery=habits.reads_discovery,
        wants_tokens=settings.auth == "required",
        services=tuple(
            SheetService(
                one.id,
                one.hook,
                one.title,
                f"{place}/{one.id}",
                f"{place}/{one.id}/feedback",
                is_called=not habits.hooks or one.hook in habits.hooks,
            )
            for one in services
        ),
        templates=tuple(Template(key, query, key in by_hand) for key, query in services[0].prefetch.items()),
        registered=registered,
        origins=settings.cors_origins,
        fhir_servers=tuple(server.public_url or server.url for server in settings.fhir),
        override_reasons=override_reasons(language(settings.language or "en")),
        topics=TOPICS if DIALECTS[dialect].topics else (),
        notes=habits.notes,
        missing=tuple(_missing(settings, dialect, registered)),
    )


def _registered(settings: Settings, dialect: DialectName) -> tuple[Registered, ...]:
    labelled = zip(settings.client_labels, settings.client, strict=True)
    return tuple(
        Registered(label, ehr.issuer, ehr.jwks_url, ehr.tenants, ehr.links, ehr.token_minutes)
        for label, ehr in labelled
        if ehr.dialect == dialect
    )


def _missing(settings: Settings, dialect: DialectName, registered: tuple[Registered, ...]) -> list[str]:
    found = []
    if settings.auth == "required" and not registered:
        found.append(f'no [[client]] has dialect = "{dialect}": its issuer and jwks_url are the EHR\'s to tell')
    if settings.auth == "off":
        found.append('auth = "off": anybody may call. For test data only')
        if settings.dialect != dialect:
            found.append(f'dialect = "{dialect}": all callers are answered as {settings.dialect}')
    if not settings.fhir:
        found.append("no [[fhir]]: what the EHR does not send along cannot be read; only listed servers are called")
    return found
