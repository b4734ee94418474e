"""How searches are sent to one server: with GET, or with POST where addresses are too long or refused (R4, 3.2.1.2.1).

Both are reads, and a server answers both alike.
"""

from typing import Literal

import httpx

SearchMethod = Literal["auto", "get", "post"]

LONGEST = 2_000  # characters; proxies begin to refuse addresses at 2,048
# The method is not allowed, or the address is too long (414, and 431 of servers that count it among the headers).
_NO_GET = frozenset({405, 414, 431})
_NO_POST = frozenset({405, 415, 501})


class Searching:
    """What is known of one server's ways. With `auto` a refusal is remembered, and the other way is tried once."""

    def __init__(self, method: SearchMethod = "auto", longest: int = LONGEST) -> None:
        self._method = method
        self._longest = longest
        self._refused: set[SearchMethod] = set()

    def by_post(self, url: httpx.URL) -> bool:
        """Whether a search at this address is sent with POST. Without parameters it is no search, and never is."""
        if not url.query or self._method == "get":
            return False
        if self._method == "post":
            return True
        if len(self._refused) == 1:
            return "get" in self._refused
        return len(str(url)) > self._longest

    def turns(self, url: httpx.URL, status: int, *, by_post: bool) -> bool:
        """Remember a refusal, if this status is one of the method. Whether the other method should be tried."""
        if not url.query or self._method != "auto" or status not in (_NO_POST if by_post else _NO_GET):
            return False
        other_is_refused = ("get" if by_post else "post") in self._refused
        self._refused.add("post" if by_post else "get")
        return not other_is_refused
