"""Discovery and the prefetch templates (CDS Hooks 2.0, Discovery; Prefetch Template; Prefetch Tokens)."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.conformance.exchange import Case, Exchange
from tests.conformance.rule import REMOVED, Rule, of, reply, service, services, template, templates

_NAME = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_TOKEN = re.compile(r"{{(.*?)}}")
_USER_TOKENS = {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
_ROOT_FIELDS = {"context.userId", "context.patientId", "context.encounterId"}  # those that are no objects
_READ = re.compile(r"[A-Z][A-Za-z]+/[^?&=]+")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?[^?]+")
_PARAMETER = re.compile(r"(_count|_sort|[a-z][a-z-]*(:in)?)=[^=&]+")
_CONTROL = {"_count", "_sort"}

DISCOVERY = of(Case.DISCOVERY)


def is_served_by_get(exchange: Exchange) -> bool:
    return exchange.path == "/cds-services" and exchange.status == 200


def lists_services(exchange: Exchange) -> bool:
    return isinstance(exchange.body, dict) and isinstance(exchange.body["services"], list)


def names_its_hook(described: dict[str, Any]) -> bool:
    return bool(_NAME.fullmatch(described["hook"]))


def has_a_title(described: dict[str, Any]) -> bool:
    return isinstance(described["title"], str) and described["title"] != ""


def has_a_description(described: dict[str, Any]) -> bool:
    return isinstance(described["description"], str) and described["description"] != ""


def has_an_id_that_can_stand_in_an_address(described: dict[str, Any]) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9._~-]+", described["id"]))


def has_no_id_twice(exchange: Exchange) -> bool:
    """Allowed, but each of our services answers one hook, and some clients call only the last of equal ids."""
    ids = [described["id"] for described in exchange.body["services"]]
    return len(ids) == len(set(ids))


def prefetch_maps_keys_to_queries(described: dict[str, Any]) -> bool:
    return bool(described["prefetch"]) and all(
        key and isinstance(query, str) and query for key, query in described["prefetch"].items()
    )


def usage_requirements_are_text(text: Any) -> bool:
    return isinstance(text, str) and text != ""


def is_answered_under_its_id(exchange: Exchange) -> bool:
    return re.fullmatch(r"/cds-services/[^/]+", exchange.path) is not None and exchange.status == 200


def has_delimited_tokens_only(query: str) -> bool:
    """No brace is left outside of `{{` and `}}`."""
    return not set("{}") & set(_TOKEN.sub("", query))


def has_tokens_of_context_or_user(query: str) -> bool:
    return all(token in _USER_TOKENS or token.startswith("context.") for token in _TOKEN.findall(query))


def has_root_fields_only(query: str) -> bool:
    return all(token in _USER_TOKENS | _ROOT_FIELDS for token in _TOKEN.findall(query))


def qualifies_context_fields(query: str) -> bool:
    return all(re.fullmatch(r"context\.\w+|user[A-Z]\w+", token) for token in _TOKEN.findall(query))


def depends_on_the_context(query: str) -> bool:
    return "{{" in query


def stays_within_the_subset_of_search(query: str) -> bool:
    """Read, or a search by type without inclusion, chaining or modifiers other than `:in`."""
    plain = _TOKEN.sub("x", query)
    if _READ.fullmatch(plain):
        return True
    parameters = plain.partition("?")[2].split("&")
    return bool(_SEARCH.fullmatch(plain)) and all(
        _PARAMETER.fullmatch(parameter) and (parameter.split("=")[0] in _CONTROL or not parameter.startswith("_"))
        for parameter in parameters
    )


def _first_service_twice(exchange: Exchange) -> Exchange | None:
    if exchange.case is not Case.DISCOVERY:
        return None
    first = exchange.body["services"][0]
    return replace(exchange, body={"services": [*exchange.body["services"], {**first, "hook": "order-sign"}]})


def _usage(exchange: Exchange) -> Iterable[Any]:
    return [described["usageRequirements"] for described in services(exchange) if "usageRequirements" in described]


RULES = (
    Rule(
        ("4", "5", "13"),
        DISCOVERY,
        is_served_by_get,
        (reply(Case.DISCOVERY, status=404), reply(Case.DISCOVERY, status=202)),
    ),
    Rule(
        ("6",),
        DISCOVERY,
        lists_services,
        (
            reply(Case.DISCOVERY, body=[]),
            reply(Case.DISCOVERY, body={}),
            reply(Case.DISCOVERY, body={"services": {"id": "x"}}),
        ),
    ),
    Rule(("7",), services, names_its_hook, (service(hook=REMOVED), service(hook=1), service(hook="patient view"))),
    Rule(("8",), services, has_a_title, (service(title=REMOVED), service(title=""))),
    Rule(("9",), services, has_a_description, (service(description=REMOVED), service(description=["x"]))),
    Rule(
        ("10",),
        services,
        has_an_id_that_can_stand_in_an_address,
        (service(id=REMOVED), service(id=7), service(id="a/b"), service(id="")),
    ),
    Rule(("10",), DISCOVERY, has_no_id_twice, (_first_service_twice,)),
    Rule(
        ("11", "29", "36"),
        services,
        prefetch_maps_keys_to_queries,
        (
            service(prefetch=REMOVED),
            service(prefetch=["Patient/1"]),
            service(prefetch={"patient": None}),
            service(prefetch={"": "Patient/1"}),
            service(prefetch={"patient": {"query": "Patient/1"}}),
        ),
    ),
    Rule(("12",), _usage, usage_requirements_are_text, (service(usageRequirements=["x"]),)),
    Rule(("16",), of(Case.CALL), is_answered_under_its_id, (reply(Case.CALL, status=404),)),
    Rule(
        ("55",),
        templates,
        has_delimited_tokens_only,
        (template("Patient/{context.patientId}"), template("Patient/{{context.patientId}"), template("Patient/{}")),
    ),
    Rule(
        ("56",),
        templates,
        has_tokens_of_context_or_user,
        (template("Patient/{{patientId}}"), template("Observation?date=ge{{today()}}"), template("Patient/{{user}}")),
    ),
    Rule(
        ("57",),
        templates,
        has_root_fields_only,
        (
            template("MedicationRequest?_id={{context.draftOrders.MedicationRequest.id}}"),
            template("Bundle/{{context.draftOrders}}"),
        ),
    ),
    Rule(
        ("59",),
        templates,
        qualifies_context_fields,
        (template("Patient/{{patientId}}"), template("Patient/{{context/patientId}}")),
    ),
    Rule(("35",), templates, depends_on_the_context, (template("Patient/17"),)),
    Rule(
        ("58",),
        templates,
        stays_within_the_subset_of_search,
        (
            template("Patient?_id={{context.patientId}}&_revinclude=Observation:patient"),
            template("Observation?subject.name=x"),
            template("Observation?code:text=x"),
            template("Observation?code=718-7&_summary=true"),
            template("Patient/{{context.patientId}}/$everything?_type=Observation"),
        ),
    ),
)
