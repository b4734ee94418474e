"""Which addresses belong to a FHIR server of the site, compared exactly.

Prefix comparison of URLs is how bearer tokens reached foreign servers elsewhere (CVE-2026-34359: `startsWith` took
`tx.fhir.org.attacker.com` for `tx.fhir.org`), and URL parsers disagree on hostile input. So an address is taken apart
by one narrow grammar: what does not fit it is foreign.
"""

import re
from ipaddress import IPv4Address, IPv6Address

import msgspec

_PORTS = {"http": 80, "https": 443}
_BASE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@/\-]*)?",
)
# Within a base also escapes, and a query of anything printable that is no delimiter of another part (RFC 3986, 3.4).
_LINK = re.compile(
    r"(?P<base>[A-Za-z]+://[^/?#\\]+)(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@/%\-]*)?(?P<query>\?[!$-\[\]-~]*)?"
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NOT_A_LEVEL = re.compile(r"//|/\.{1,2}(?:/|$)|%2e|%2f|%5c|%00", re.IGNORECASE)


class NotABaseError(ValueError):
    """The text is no FHIR base address."""


class Base(msgspec.Struct, frozen=True):
    """A FHIR base address in normal form: host in lower case, port always there, path ending with a slash."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> "Base":
        """The base that `text` names.

        Raises NotABaseError for anything but http(s)://host[:port][/path]: no user, query, fragment, backslash,
        escape, dot segment, empty segment, control or non-ASCII character.
        """
        scheme, mark, rest = text.partition("://")
        authority, slash, path = rest.partition("/")
        match = _BASE.fullmatch(f"{scheme.lower()}{mark}{authority.lower()}{slash}{path}")
        if match is None or _NOT_A_LEVEL.search(match["path"] or "") or not _is_read_in_one_way(match["host"]):
            raise NotABaseError("not of the form https://host[:port]/path")
        port = int(match["port"] or _PORTS[match["scheme"]])
        if not 0 < port < 65_536:
            raise NotABaseError("no such port")
        return cls(match["scheme"], match["host"], port, (match["path"] or "").rstrip("/") + "/")

    @property
    def default_port(self) -> int:
        return _PORTS[self.scheme]

    @property
    def root(self) -> str:
        """Scheme, host and port as a web address without a path."""
        port = "" if self.port == self.default_port else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def url(self) -> str:
        """The address itself, without the slash at its end, as FHIR servers write it in references."""
        return (self.root + self.path).rstrip("/")

    def below(self, link: str, public: "Base") -> str:
        """A link that the server wrote under its public name, as one under this address; any other as it is."""
        match = _LINK.fullmatch(link) if public.resolve(link) else None
        if match is None or match["path"] is None:
            return link
        path = f"{match['path']}/" if f"{match['path']}/" == public.path else match["path"]
        return self.root + self.path + path[len(public.path) :] + (match["query"] or "")

    def resolve(self, link: str) -> str | None:
        """The absolute address of a link found in an answer of this server; None where it leads anywhere else."""
        if "://" not in link.partition("?")[0]:
            link = (self.root if link.startswith("/") else f"{self.url}/") + link
        match = _LINK.fullmatch(link)
        if match is None or _NOT_A_LEVEL.search(match["path"] or ""):
            return None
        try:
            origin = Base.parse(match["base"])
        except NotABaseError:
            return None
        path = match["path"] or "/"
        same = (origin.scheme, origin.host, origin.port) == (self.scheme, self.host, self.port)
        within = path.startswith(self.path) or f"{path}/" == self.path
        return link if same and within else None


def _is_read_in_one_way(host: str) -> bool:
    """Resolvers take `2130706433`, `127.1` and `0x7f.1` for 127.0.0.1: a number at the end: an address or none."""
    try:
        if host.startswith("["):
            IPv6Address(host[1:-1])
        elif _NUMBER.fullmatch(host.rpartition(".")[2]):
            IPv4Address(host)
    except ValueError:
        return False
    return True
