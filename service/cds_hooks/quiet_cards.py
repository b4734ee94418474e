"""The policy at work: what was shown before is looked up, what is shown is remembered, what was set aside is snoozed.

Nothing of a patient or a user is kept in clear: a reader's chart is a keyed hash, with the key of the card uuids. Of a
call that does not say who reads nothing is remembered, so that every card is shown.
"""

import hashlib
from time import monotonic

import msgspec

from service.assessment import Assessment
from service.cds_hooks.card_identity import IssuedCards, Recipient
from service.cds_hooks.quiet import Before, Reader, Shown, Silence, shown_of, silence
from service.cds_hooks.wire import Card
from service.quiet_settings import QuietRules
from service.state.expiring import ExpiringStore
from service.state.feedback import FeedbackGiven, StateDownError
from service.telemetry import Telemetry

_DAY = 86_400
_AGAIN_SECONDS = 10.0
_encode = msgspec.json.Encoder().encode
_shown = msgspec.json.Decoder(Shown)


class QuietCards:
    """Decides whether a card is shown. While the store is down it is, and that is counted."""

    def __init__(self, rules: QuietRules, store: ExpiringStore, issued: IssuedCards, telemetry: Telemetry) -> None:
        self._rules = rules
        self._store = store
        self._issued = issued
        self._telemetry = telemetry
        self._ask_at = 0.0

    async def silence(self, assessment: Assessment, recipient: Recipient, user: str, reader: Reader) -> Silence | None:
        """Why no card is shown, counted; None where it is. `user` is the call's `userId`."""
        before = await self._before(recipient, user)
        why = silence(assessment, before, reader, self._rules, self._issued.key)
        if why is not None:
            self._telemetry.silenced(recipient.service, why)
        return why

    async def keep(self, card: Card, assessment: Assessment, recipient: Recipient, user: str) -> None:
        """Remember what was shown to whom, and whose card it was, as far as a rule asks for it."""
        if not (user and self._rules.remembers):
            return
        name, rules = self._issued.reader_name(recipient, user), self._rules
        try:
            if rules.repeat == "changed":
                shown = _encode(shown_of(assessment, self._issued.key))
                await self._store.put(self._of_shown(name), shown, rules.days * _DAY)
            if rules.snooze_days:
                about = _of_card(recipient.client, recipient.service, card.uuid)
                await self._store.put(about, name.encode(), max(rules.snooze_days.values()) * _DAY)
        except StateDownError:
            self._telemetry.not_kept("shown")

    async def snooze(self, feedback: FeedbackGiven) -> None:
        """Leave the user who set this card aside in peace, if the site snoozes for that reason.

        The days count from when the user acted. Feedback on a card that is not known changes nothing.
        """
        days = self._rules.snooze_days.get(feedback.reason, 0) if feedback.outcome == "overridden" else 0
        left = days - (feedback.received - feedback.day).days
        if not days or left <= 0:
            return
        try:
            (name,) = await self._store.get(_of_card(feedback.client, feedback.service, feedback.card))
            if name is not None:
                await self._store.put(_of_snooze(name.decode()), b"1", left * _DAY)
        except StateDownError:
            self._telemetry.not_kept("snooze")

    async def _before(self, recipient: Recipient, user: str) -> Before:
        if not (user and self._rules.remembers):
            return Before()
        if monotonic() < self._ask_at:  # no clinician waits again for what has just been down
            self._telemetry.shown_memory_down()
            return Before()
        name = self._issued.reader_name(recipient, user)
        try:
            shown, snoozed = await self._store.get(self._of_shown(name), _of_snooze(name))
        except StateDownError:
            self._ask_at = monotonic() + _AGAIN_SECONDS
            self._telemetry.shown_memory_down()
            return Before()
        return Before(self._readable(shown), snoozed is not None)

    def _readable(self, shown: bytes | None) -> Shown | None:
        """What was shown; None, counted, for what a replica of another version has written, or somebody else."""
        try:
            return _shown.decode(shown) if shown else None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._telemetry.shown_memory_down()
            return None

    def _of_shown(self, name: str) -> str:
        """What nobody saw in shadow mode must not keep silent what comes after it."""
        return f"{'shadow' if self._rules.shadow else 'shown'}:{name}"


def _of_snooze(name: str) -> str:
    return f"snooze:{name}"


def _of_card(client: str, service: str, uuid: str) -> str:
    """Only the client that got a card can set it aside."""
    return "card:" + hashlib.sha256(_encode((client, service, uuid))).hexdigest()
