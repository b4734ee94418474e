"""The catalogue of CDS services: what discovery lists. Each hook has an id of its own.

One id under two hooks is allowed, but the public sandbox keeps one service an address and would never call the first.
"""

from collections.abc import Sequence

from fhir_mappings.retrieval import Query
from service.cds_hooks.wire import Discovery, Hook, ServiceDescription
from service.settings import Settings

PROGNOSIS = "pan-cancer-prognosis"
EMERGENCY_HOOK: Hook = "encounter-start"
_SERVICES: tuple[tuple[str, Hook, str, str], ...] = (
    (PROGNOSIS, "patient-view", "Pan-cancer prognosis", ""),
    (
        f"{PROGNOSIS}-emergency",
        EMERGENCY_HOOK,
        "Pan-cancer prognosis in an emergency",
        " Always an acute in-patient ranking, research; not triage. Call it for unplanned encounters only.",
    ),
    (f"{PROGNOSIS}-discharge", "encounter-discharge", "Pan-cancer prognosis at discharge", ""),
    (
        f"{PROGNOSIS}-order",
        "order-sign",
        "Pan-cancer prognosis when a cancer drug is ordered",
        " No card where no draft order is a systemic therapy of cancer.",
    ),
)  # fmt: skip
_DESCRIPTION = (
    "Where an adult with a solid tumour stands among similar patients of the reference data, and which of the recorded "
    "values that rests on. Research use; no treatment advice."
)


def discovery(queries: Sequence[Query], *, dated: bool = False, most: int | None = None) -> Discovery:
    """The services with the prefetch that fills their inputs; a client may honour as much of it as it can.

    `dated`: the client can reckon with dates (CDS Hooks 3.0), so that it need not send what is too old to count.
    `most`: it need not send more than the newest so many (`_maxresults`, CDS Hooks 3.0), where they are sorted.
    """
    prefetch = {query.key: _template(query, most, dated=dated) for query in queries}
    requirements = (
        "Every prefetch key may be left out if fhirServer is one of the site's FHIR servers; patient and "
        "conditions are needed. Where templates are typed by hand, these matter most: "
        f"{', '.join(query.key for query in queries if query.by_hand)}."
    )
    return Discovery(
        tuple(
            ServiceDescription(service, hook, title, _DESCRIPTION + more, prefetch, requirements)
            for service, hook, title, more in _SERVICES
        )
    )


def published(settings: Settings, queries: Sequence[Query]) -> Discovery:
    """What this site's discovery lists. With a clock of its own, dates that a client reckons from today are wrong."""
    dated = settings.cds_hooks_version == "3.0" and not settings.moment.moves
    return discovery(queries, dated=dated, most=settings.cds_hooks_max_results)


def _template(query: Query, most: int | None, *, dated: bool) -> str:
    template = query.dated_template if dated else query.template
    return f"{template}&_maxresults={most}" if most and query.is_newest_first else template
