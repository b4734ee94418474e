"""A card's uuid, which all feedback on it names, and the record that it was shown.

The uuid is a keyed hash: the same card for the same patient repeats it, two patients never share it, and without the
key nothing about the patient follows from it.
"""

import hashlib
import hmac
from uuid import UUID

import msgspec

from fhir_mappings.concepts import catalogue
from service.assessment import Assessment
from service.cds_hooks.wire import Card
from service.clock import Now
from service.notices import CACHED
from service.state.feedback import SHADOW, CardIssued, FeedbackStore, StateDownError
from service.state.site_key import SiteKey
from service.telemetry import Telemetry


class Recipient(msgspec.Struct, frozen=True):
    """Whom a card is for: the client's issuer (empty where everyone may call), the chart, the called service.

    `user` only where a site snoozes: feedback names a card and no user, so that each user's card is another one there.
    """

    client: str
    server: str
    patient: str
    service: str
    user: str = ""


def card_uuid(card: Card, recipient: Recipient, key: bytes) -> str:
    """HMAC-SHA256 of recipient and content, as a UUID.

    Content is what people read. The extension is left out, since it states the moment and the way of each call. The
    layout is version 4's (RFC 9562, section 5.4): older libraries refuse version 8, and the bits are as good as random.
    """
    server = recipient.server.rstrip("/")
    read = (card.summary, card.indicator, card.detail, card.links)
    content = msgspec.json.encode(
        (recipient.client, server, recipient.patient, recipient.service, recipient.user, read)
    )
    return str(UUID(bytes=hmac.digest(key, content, hashlib.sha256)[:16], version=4))


def reader_name(recipient: Recipient, user: str, key: bytes) -> str:
    """HMAC-SHA256 of a user before a patient's chart, in hexadecimal: what is remembered of cards goes by it."""
    server = recipient.server.rstrip("/")
    of = ("reader", recipient.client, server, recipient.patient, recipient.service, user)
    return hmac.digest(key, msgspec.json.encode(of), hashlib.sha256).hex()


class IssuedCards:
    """Names cards and keeps that they were shown."""

    def __init__(self, store: FeedbackStore, telemetry: Telemetry, now: Now, key: SiteKey) -> None:
        self._store = store
        self._telemetry = telemetry
        self._now = now
        self._key = key

    @property
    def key(self) -> bytes:
        """The key of everything that is hashed: known once a card was named."""
        return self._key.value

    def reader_name(self, recipient: Recipient, user: str) -> str:
        return reader_name(recipient, user, self.key)

    async def identified(self, card: Card, recipient: Recipient, alike: Card | None = None) -> Card:
        """The card with its uuid: that of the card which it is `alike`, if it is given."""
        return msgspec.structs.replace(card, uuid=card_uuid(alike or card, recipient, await self._key.known()))

    async def keep(self, card: Card, recipient: Recipient, assessment: Assessment, *, shadow: bool = False) -> None:
        """Keep that the card was shown today, or computed in `shadow` mode.

        Where the store is down that is counted; the card stays good.
        """
        shown = CardIssued(
            card=SHADOW + card.uuid if shadow else card.uuid,
            day=self._now().date(),
            service=recipient.service,
            client=recipient.client,
            entity=assessment.entity.key if assessment.entity else "",
            factor=leading_factor(assessment),
        )
        try:
            await self._store.issued(shown)
        except StateDownError:
            self._telemetry.not_kept("card")


def as_if_read_now(assessment: Assessment) -> Assessment:
    """Without the word that the record was read a moment ago, with its time of day: it makes no other card."""
    notices = tuple(notice for notice in assessment.notices if notice.code != CACHED)
    return msgspec.structs.replace(assessment, notices=notices) if notices != assessment.notices else assessment


def leading_factor(assessment: Assessment) -> str:
    """The parameter that tells this patient most from the typical one; the tumour type tells nobody apart."""
    schema = catalogue().schema
    return next((f.feature for f in assessment.attribution if not schema[f.feature].is_entity), "")
