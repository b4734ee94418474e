from ipaddress import ip_address

import pytest

from service.fhir.destinations import Destination
from service.fhir.origin import NotABaseError

HOSPITAL = Destination.of("https://fhir.example/r4")


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "1.1.1.1", "8.8.8.8", "2001:db8::1"]
)
def test_servers_are_at_private_and_public_addresses(address: str) -> None:
    """Hospitals have their servers at private addresses, so these are as good as public ones."""
    assert HOSPITAL.refuses(ip_address(address)) == ""


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("169.254.169.254", "link-local"), ("fe80::1", "link-local"), ("100.100.100.200", "link-local"),
        ("168.63.129.16", "link-local"), ("fd00:ec2::254", "link-local"), ("fd00:ec2::254%1", "link-local"),
        ("fe80::1%eth0", "link-local"), ("::1%1", "loopback"),
        ("127.0.0.1", "loopback"), ("127.9.9.9", "loopback"), ("::1", "loopback"),
        ("0.0.0.0", "unspecified"), ("0.1.2.3", "unspecified"), ("::", "unspecified"),  # noqa: S104
        ("224.0.0.1", "multicast or reserved"), ("ff02::1", "multicast or reserved"),
        ("255.255.255.255", "multicast or reserved"), ("240.0.0.1", "multicast or reserved"),
    ],
)  # fmt: skip
def test_no_server_is_at_an_address_of_this_machine_or_of_a_cloud(address: str, why: str) -> None:
    """Link-local and metadata, loopback, unspecified and multicast addresses are refused, whatever the name."""
    assert HOSPITAL.refuses(ip_address(address)) == why


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254", "::ffff:127.0.0.1",
        "64:ff9b::a9fe:a9fe%2", "::ffff:169.254.169.254%eth0",
    ],
)  # fmt: skip
def test_an_address_within_an_address_is_judged(address: str) -> None:
    """An IPv6 address that stands for an IPv4 one (mapped, NAT64, 6to4, compatible) is refused as that one is."""
    assert HOSPITAL.refuses(ip_address(address)) in {"link-local", "loopback"}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/fhir", "http://[::1]/fhir", "http://localhost/fhir", "http://a.localhost/"]
)
def test_this_machine_must_be_named_to_be_reached(url: str) -> None:
    """Loopback is for hosts that the settings name as such; the other refusals stay."""
    here = Destination.of(url)
    assert here.refuses(ip_address("127.0.0.1")) == here.refuses(ip_address("::1")) == ""
    assert here.refuses(ip_address("169.254.169.254")) == "link-local"


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "0x7f.1", "0177.0.0.1", "0x7f000001", "1.2.3.4.5", "[::1.2]", "[1]"]
)
def test_a_number_is_an_address_or_nothing(host: str) -> None:
    """What a resolver may read as an address in another way than we do is no destination."""
    with pytest.raises(NotABaseError):
        Destination.of(f"http://{host}/fhir")
