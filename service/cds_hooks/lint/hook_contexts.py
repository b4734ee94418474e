"""HL7's library of hooks: which fields the context of each has, and which of them can stand in a template.

A field that holds an object or an array cannot (CDS Hooks 2.0, Prefetch Tokens).
"""

from collections.abc import Mapping

import msgspec


class HookContext(msgspec.Struct, frozen=True):
    """`plain`: fields that hold a text. `whole`: fields that hold objects or arrays."""

    plain: frozenset[str]
    whole: frozenset[str] = frozenset()


def _chart(*whole: str) -> HookContext:
    return HookContext(frozenset({"userId", "patientId", "encounterId"}), frozenset(whole))


# order-dispatch: 1.0 named one `order` and `task`, 1.1 several. The last two are no longer in use.
CONTEXTS: Mapping[str, HookContext] = {
    "patient-view": _chart(),
    "encounter-start": _chart(),
    "encounter-discharge": _chart(),
    "order-select": _chart("selections", "draftOrders"),
    "order-sign": _chart("draftOrders"),
    "order-dispatch": HookContext(
        frozenset({"userId", "patientId", "encounterId", "order", "performer"}),
        frozenset({"dispatchedOrders", "fulfillmentTasks", "task"}),
    ),
    "appointment-book": _chart("appointments"),
    "allergyintolerance-create": _chart("allergyIntolerance"),
    "problem-list-item-create": _chart("conditions"),
    "medication-refill": _chart("medications"),
    "medication-prescribe": _chart("medications"),
    "order-review": _chart("orders"),
}
