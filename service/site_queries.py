"""The queries of this site: the catalogue's, and those that its settings add."""

from fhir_mappings.resources.objections import Consent, Flag
from fhir_mappings.retrieval import PAGE, Query, queries
from service.fhir.paging import INDISPENSABLE
from service.quiet_settings import RestrictedRecords

# no parameter comes from them: they are asked for where the site says which flags and consents object
FLAGS = Query("flags", Flag.__name__, f"Flag?patient={{patient}}&_count={PAGE}", by_hand=True)
CONSENTS = Query("consents", Consent.__name__, f"Consent?patient={{patient}}&_count={PAGE}", by_hand=True)


def objection_queries(rules: RestrictedRecords) -> tuple[Query, ...]:
    """What must be read before anything is said of a patient; nothing where the site names no codes."""
    return (*((FLAGS,) if rules.flags else ()), *((CONSENTS,) if rules.consents else ()))


def site_queries(rules: RestrictedRecords) -> tuple[Query, ...]:
    """Every query, in the order in which they are asked: after those that nothing can be said without."""
    first = [query for query in queries() if query.type in INDISPENSABLE]
    others = [query for query in queries() if query.type not in INDISPENSABLE]
    return (*first, *objection_queries(rules), *others)


def needed_types(rules: RestrictedRecords) -> tuple[str, ...]:
    """Without these nobody is scored."""
    needed = INDISPENSABLE | {query.type for query in objection_queries(rules)}
    return tuple(query.type for query in site_queries(rules) if query.type in needed)
