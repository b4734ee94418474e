"""What the service shows a FHIR server of the site to be let in, where a call brings no token of its own."""

import base64
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from service.errors import RefusedError

_UNAUTHORISED = 401
_Reply = TypeVar("_Reply")


class Credentials(Protocol):
    """The service's own authority on one FHIR server. It is used for that server and for no other."""

    async def header(self, until: float) -> str:
        """The value of Authorization; `until`, a moment of the running loop's `time()`, is how long there is.

        Raises NotAuthorisedError, TimedOutError.
        """

    def refused(self, header: str) -> None:
        """The server answered 401 to `header`; the next one may be another."""

    def may_read(self, kind: str) -> bool:
        """Whether resources of this type may be read at all, as far as the server has said."""

    def reads_part_of(self, kind: str) -> bool:
        """Whether only some resources of this type may be read, so that others would seem not to be there."""

    def start(self) -> None:
        """Get ready, so that the first call does not wait."""

    async def close(self) -> None:
        """End what goes on in the background."""


async def showing(own: Credentials, send: Callable[[str], Awaitable[_Reply]], until: float) -> _Reply:
    """What `send` gives with the header that it is called with; after a 401 once more, if there is another to show.

    Raises what `header` and `send` raise.
    """
    shown = await own.header(until)
    try:
        return await send(shown)
    except RefusedError as error:
        if error.status != _UNAUTHORISED:
            raise
        own.refused(shown)
        again = await own.header(until)
        if again == shown:
            raise
    return await send(again)


class Password:
    """Basic authentication (RFC 7617). `secret` gives the password as it is now: it may be changed in its file."""

    def __init__(self, user: str, secret: Callable[[], str]) -> None:
        self._user = user
        self._secret = secret
        self._header = self._made()

    def __repr__(self) -> str:
        return "Password(***)"

    async def header(self, until: float) -> str:  # noqa: ARG002 - nothing has to be waited for
        return self._header

    def refused(self, header: str) -> None:
        if header == self._header:
            self._header = self._made()

    def may_read(self, kind: str) -> bool:  # noqa: ARG002 - a password says nothing of types
        return True

    def reads_part_of(self, kind: str) -> bool:  # noqa: ARG002
        return False

    def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def _made(self) -> str:
        return "Basic " + base64.b64encode(f"{self._user}:{self._secret()}".encode()).decode()
