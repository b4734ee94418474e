"""The secret of a site, from which card uuids, names and the keys of the cache are made.

`state.key`, else a random one that all who share the store use; while that is down, one of this process.
"""

import secrets
from time import monotonic

from service.state.feedback import FeedbackStore, StateDownError

_AGAIN_SECONDS = 10.0


class SiteKey:
    def __init__(self, store: FeedbackStore, stated: str | None) -> None:
        """Without a `stated` key, that of the store."""
        self._store = store
        self._value = stated.encode() if stated else secrets.token_bytes(32)
        self._shared = stated is not None
        self._ask_at = 0.0

    @property
    def value(self) -> bytes:
        """As far as it is known: what `known` returned last."""
        return self._value

    async def known(self) -> bytes:
        """The key; the store is asked until it has told it, and not more often than every ten seconds."""
        if not self._shared and monotonic() >= self._ask_at:
            try:
                self._value = await self._store.key(self._value)
            except StateDownError:
                self._ask_at = monotonic() + _AGAIN_SECONDS  # the calls until then do not wait for it
            else:
                self._shared = True
        return self._value
