"""What clients do their own way: how a reply differs from the one that CDS Hooks describes.

Oddities of requests are accepted from every client and have no place here: an `extension` that is an object, the chart
as a reference, users of any kind, scopes in any words (they are not read), `overrideReasons` (`feedback.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from service.cds_hooks.cards import Rendering
from service.cds_hooks.wire import Card, Coding
from service.ehr_settings import DialectName
from service.fhir.origin import Base

_CONTENT_TYPE = "com.epic.cdshooks.card.detail.content-type"
# One for each kind of card. They never change: a client that holds back what a user has set aside tells cards by them,
# and a warning must not be held back for a prognosis that was set aside.
TOPICS = tuple(Coding(f"Oncohooks{kind}", "urn:oncohooks:topic") for kind in ("Prognosis", "NotScored", "WrongPatient"))
_PROGNOSIS, _NOT_SCORED, _WARNING = TOPICS


class Dialect(msgspec.Struct, frozen=True):
    """The differences of one kind of client; as it stands, the specification.

    `topics`: cards have a `source.topic`, by which the client remembers what was set aside. `rendering`: what `detail`
    is written in. `content_type`: the same, in Epic's extension. `selection`: `selectionBehavior` where it is
    needed for every card.
    """

    topics: bool = False
    rendering: Rendering = "markdown"
    content_type: str = ""
    selection: Literal["", "any"] = ""


DIALECTS: Mapping[DialectName, Dialect] = {
    "spec": Dialect(),
    # cds-hooks/sandbox renders GitHub's Markdown and passes over topic, selectionBehavior and extensions. It keeps one
    # service an address, so that services of several hooks need ids of their own: they have them in every dialect.
    "sandbox": Dialect(),
    # Epic's CDS Hooks tutorial: codes of topics are letters and digits, at most 100; only `any`; one action a
    # suggestion (our cards have none); what `detail` is stands in an extension; links are on a list of the hospital's.
    "epic": Dialect(topics=True, rendering="plain", content_type="text/plain", selection="any"),
    # Oracle's page of 2021 names one difference: links that are not on its list are taken away (`[[client]] links`).
    "oracle": Dialect(),
}


def shaped(card: Card, name: DialectName, links: Sequence[Base] = (), *, scored: bool = True) -> Card:
    """The card as a client of this dialect takes it; `links` are the addresses under which links may lead (empty: any).

    A link elsewhere is left out here, not by the client: who reads the card misses nothing that it announces.
    """
    dialect = DIALECTS[name]
    if links:
        card = _with_links_within(card, links)
    if dialect.topics:
        topic = _WARNING if card.indicator != "info" else _PROGNOSIS if scored else _NOT_SCORED
        source = msgspec.structs.replace(card.source, topic=topic)
        card = msgspec.structs.replace(card, source=source)
    if dialect.content_type:
        extension = {**(card.extension or {}), _CONTENT_TYPE: dialect.content_type}
        card = msgspec.structs.replace(card, extension=extension)
    return msgspec.structs.replace(card, selectionBehavior=dialect.selection) if dialect.selection else card


def _with_links_within(card: Card, allowed: Sequence[Base]) -> Card:
    def leads_within(url: str) -> bool:
        return "://" in url and any(base.resolve(url) for base in allowed)

    source = card.source
    if source.url and not leads_within(source.url):
        source = msgspec.structs.replace(source, url="")
    kept = tuple(link for link in card.links if leads_within(link.url))
    return msgspec.structs.replace(card, source=source, links=kept)
