"""The catalogue of CDS services: what discovery lists."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from fhir_mappings.retrieval import Query
from service.cds_hooks.wire import Discovery, ServiceDescription

PROGNOSIS = "pan-cancer-prognosis"
_HOOK_VERSION = "1.0"  # of every hook that we answer (cds-hooks-library)


def versioned(discovery: Discovery, version: Literal["2.0", "3.0"]) -> Discovery:
    """Discovery as that version of CDS Hooks has it: 3.0 recommends that a service names the versions it speaks."""
    if version == "2.0":
        return discovery
    said = {"version": f"{version}.0", "hookVersion": _HOOK_VERSION}
    return Discovery(tuple(msgspec.structs.replace(service, **said) for service in discovery.services))


def discovery(queries: Sequence[Query]) -> Discovery:
    """The services with the prefetch that fills their inputs; a client may honour as much of it as it can.

    Queries without a template are searched by the service whatever a client fills.
    """
    return Discovery(
        (
            ServiceDescription(
                id=PROGNOSIS,
                hook="patient-view",
                title="Pan-cancer prognosis",
                description=(
                    "Where an adult with a solid tumour stands among similar patients of the reference data, and which "
                    "of the recorded values that rests on. Research use; no treatment advice."
                ),
                prefetch={query.key: query.template for query in queries if query.template is not None},
                usageRequirements=(
                    "Every prefetch key may be left out if fhirServer is one of the site's FHIR servers; patient and "
                    "conditions are needed. Where templates are typed by hand, these matter most: "
                    f"{', '.join(query.key for query in queries if query.by_hand)}."
                ),
            ),
        )
    )
