"""The queries of a site: the catalogue's, and those that its settings add."""

import pytest

from fhir_mappings.retrieval import queries
from service.quiet_settings import RestrictedRecords
from service.site_queries import CONSENTS, FLAGS, needed_types, site_queries

CODE = ("urn:site|no-ai",)


def test_without_a_setting_they_are_the_catalogues() -> None:
    """Nothing else is asked."""
    assert site_queries(RestrictedRecords()) == queries()
    assert needed_types(RestrictedRecords()) == ("Patient", "Condition")


@pytest.mark.parametrize(
    ("rules", "keys"),
    [
        (RestrictedRecords(flags=CODE), ["flags"]),
        (RestrictedRecords(consents=CODE), ["consents"]),
        (RestrictedRecords(flags=CODE, consents=CODE), ["flags", "consents"]),
    ],
)
def test_objections_come_right_after_what_nothing_can_be_said_without(
    rules: RestrictedRecords, keys: list[str]
) -> None:
    """What a score waits for is asked for before what it can do without."""
    found = [query.key for query in site_queries(rules)]
    assert found[:-13] == ["patient", "conditions", *keys]
    assert found[2 + len(keys) :] == [query.key for query in queries()[2:]]
    assert needed_types(rules) == ("Patient", "Condition", *(key[:-1].capitalize() for key in keys))


def test_a_client_can_honour_them() -> None:
    """Templates with nothing but the patient's id."""
    assert FLAGS.template == "Flag?patient={{context.patientId}}&_count=200"
    assert CONSENTS.url("17") == "Consent?patient=17&_count=200"
