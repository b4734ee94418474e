"""Where the service may connect to: what the settings name, at addresses that can be a server of the site.

The settings name hosts, a resolver turns them into addresses, and whoever can change its answer could lead us to the
machine itself or to a cloud's metadata service. So the address is judged too, after it is resolved.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Self

import msgspec

from service.fhir.origin import Base

Address = IPv4Address | IPv6Address

# Clouds hand out credentials at 169.254.169.254 (link-local) and at these: Azure, Alibaba, Oracle, AWS, Google.
_METADATA: frozenset[Address] = frozenset(
    ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are the IPv4 address that is really reached
_V4_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1
_THIS_NETWORK = 8  # 0.0.0.0/8


class Destination(msgspec.Struct, frozen=True):
    """One origin that the settings name, and a file of certificates that are trusted there besides the usual ones."""

    scheme: str
    host: str
    port: int
    ca_file: Path | None = None

    @classmethod
    def of(cls, address: str, ca_file: Path | None = None) -> Self:
        """The origin of a web address. Raises NotABaseError."""
        base = Base.parse(address)
        return cls(base.scheme, base.host.strip("[]"), base.port, ca_file)

    @property
    def is_loopback(self) -> bool:
        """Whether the settings say themselves that it is on this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):  # RFC 6761, 6.3
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def refuses(self, address: Address) -> str:
        """Why this host must not be at that address; empty where it may.

        Private addresses are where hospitals have their servers, so they may.
        """
        return next((why for one in _reached(address) if (why := self._refuses(one))), "")

    def _refuses(self, address: Address) -> str:
        if address.is_link_local or address in _METADATA:
            return "link-local"
        if address.is_loopback:
            return "" if self.is_loopback else "loopback"
        if address.is_unspecified or (isinstance(address, IPv4Address) and int(address) >> (32 - _THIS_NETWORK) == 0):
            return "unspecified"
        if address.is_multicast or (isinstance(address, IPv4Address) and address.is_reserved):
            return "multicast or reserved"
        return ""


def _reached(address: Address) -> list[Address]:
    """The address itself, and the IPv4 address that is meant where an IPv6 one stands for it."""
    if isinstance(address, IPv4Address):
        return [address]
    address = IPv6Address(int(address))  # a scope (`%eth0`) would make it unequal to itself
    found: list[Address] = [address]
    found += [one for one in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if one]
    if address in _NAT64 or (address in _V4_COMPATIBLE and int(address) > 1):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return found
