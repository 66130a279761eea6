"""Which IP addresses belong to the public internet: a table of our own, no look-ups.

What `ipaddress` calls global still holds metadata services, tunnels and translators to private
networks, and differs between versions of Python.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

DENIED_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # the host agent of one large cloud, though in public space
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
UNICAST_IPV6 = IPv6Network("2000::/3")
"""All that is given out; whatever lies beside it is not of the public internet."""
DENIED_IPV6 = tuple(
    IPv6Network(text)
    for text in (
        "::/96",
        "::ffff:0:0:0/96",  # IPv4 translated by SIIT
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
METADATA: tuple[IPv4Network | IPv6Network, ...] = (
    *(IPv4Network(text) for text in ("169.254.0.0/16", "100.100.100.200/32", "192.0.0.192/32")),
    *(IPv4Network("168.63.129.16/32"), IPv6Network("fe80::/10")),
    *(IPv6Network(text) for text in ("fd00:ec2::/32", "fd20:ce::254/128", "fd00:42::42/128")),
)
"""Link-local addresses, and others at which machines of clouds are told their own secrets."""
IPV4_AT_THE_END = tuple(
    IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
SIX_TO_FOUR = IPv6Network("2002::/16")
ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""What stands before the IPv4 address in one of a tunnel inside a site."""


def parse_address(text: str) -> Address | None:
    """Read a textual address; one that IPv6 merely wraps becomes the IPv4 address it is.

    With a scope it is none: it means something on one link of one machine alone.
    """
    try:
        address = ip_address(text if "%" not in text else "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def is_public(text: str) -> bool:
    """Whether a textual address is one of the public internet."""
    address = parse_address(text)
    if address is None:
        return False
    if isinstance(address, IPv4Address):
        return _is_public_ipv4(address)
    return _is_public_ipv6(address)


def is_metadata(text: str) -> bool:
    """Whether a textual address is link-local or of a metadata service, or wraps such a one."""
    address = parse_address(text)
    if isinstance(address, IPv6Address) and not _is_in(address, METADATA):
        address = _wrapped(address)
    return address is not None and _is_in(address, METADATA)


def _is_in(address: Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a tunnel or translator would make of it."""
    number = int(address)
    if address in SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFF_FFFF)
    if _is_in(address, IPV4_AT_THE_END) or number >> 32 & 0xFFFF_FFFF in ISATAP:
        return IPv4Address(number & 0xFFFF_FFFF)
    return None


def _is_public_ipv4(address: IPv4Address) -> bool:
    return not any(address in network for network in DENIED_IPV4)


def _is_public_ipv6(address: IPv6Address) -> bool:
    if address not in UNICAST_IPV6 or any(address in network for network in DENIED_IPV6):
        return False
    if int(address) >> 32 & 0xFFFF_FFFF in ISATAP:
        return _is_public_ipv4(IPv4Address(int(address) & 0xFFFF_FFFF))
    return True
