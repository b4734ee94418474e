"""The catalogue of CDS services: what discovery lists."""

from collections.abc import Sequence

from fhir_mappings.retrieval import Query
from service.cds_hooks.wire import Discovery, ServiceDescription

PROGNOSIS = "pan-cancer-prognosis"


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
