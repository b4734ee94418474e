import msgspec

from fhir_mappings.retrieval import queries
from service.cds_hooks.described import components
from service.cds_hooks.services import discovery
from service.cds_hooks.wire import Card, CardResponse, Coding, Link, Source


def encoded(value: object) -> object:
    return msgspec.json.decode(msgspec.json.encode(value))


def test_what_was_not_given_is_not_written() -> None:
    """A card holds no null and no empty value (CDS Hooks, Use of JSON)."""
    card = Card(summary="s", indicator="info", source=Source("oncohooks"))
    assert encoded(card) == {"summary": "s", "indicator": "info", "source": {"label": "oncohooks"}}


def test_what_was_given_is_written_in_the_protocols_words() -> None:
    """Every member of a card has the protocol's name."""
    link = Link("more", "https://a/b", "smart", appContext="c")
    reason = Coding("r", "urn:x", "Because")
    card = Card("s", "warning", Source("l", "u", "i", Coding("c")), "id", "d", (link,), (reason,), {"org.x": {"a": 1}})
    assert encoded(card) == {
        "summary": "s",
        "indicator": "warning",
        "source": {"label": "l", "url": "u", "icon": "i", "topic": {"code": "c"}},
        "uuid": "id",
        "detail": "d",
        "links": [{"label": "more", "url": "https://a/b", "type": "smart", "appContext": "c"}],
        "overrideReasons": [{"code": "r", "system": "urn:x", "display": "Because"}],
        "extension": {"org.x": {"a": 1}},
    }


def test_the_list_of_cards_may_be_empty() -> None:
    """`cards` is always there."""
    assert encoded(CardResponse(())) == {"cards": []}


def test_discovery_asks_for_every_query() -> None:
    """The prefetch templates of each service are the queries', with the patient's token and no parameter twice."""
    service, *others = discovery(queries()).services
    assert {str(other.prefetch) for other in others} == {str(service.prefetch)}
    assert list(service.prefetch) == [query.key for query in queries()]
    assert len(service.prefetch) <= 15
    for template in service.prefetch.values():
        assert template.count("{{context.patientId}}") == 1
        names = [part.partition("=")[0] for part in template.partition("?")[2].split("&")]
        assert len(names) == len(set(names))


def test_each_hook_has_an_id_of_its_own() -> None:
    """Discovery lists four services, and no address answers two hooks."""
    assert [(service.id, service.hook) for service in discovery(queries()).services] == [
        ("pan-cancer-prognosis", "patient-view"),
        ("pan-cancer-prognosis-emergency", "encounter-start"),
        ("pan-cancer-prognosis-discharge", "encounter-discharge"),
        ("pan-cancer-prognosis-order", "order-sign"),
    ]


def test_discovery_names_the_templates_that_are_worth_typing() -> None:
    """Some clients never read discovery: a person reads there which eight matter most."""
    service = discovery(queries()).services[0]
    assert "patient, conditions, tumour, genetics, function, laboratory, sequences, encounters." in (
        service.usageRequirements
    )


def test_the_openapi_schemas_refer_only_to_each_other() -> None:
    """Every reference of the OpenAPI schemas leads to one of them."""
    schemas = components(queries())
    text = msgspec.json.encode(schemas).decode()
    assert {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]} <= schemas.keys()
