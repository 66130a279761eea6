"""Public and special IP addresses: a table of our own, without look-ups.

`ipaddress.is_global` admits metadata services, tunnels and translators to private networks, and
differs between versions of Python.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

KEPT_RESULTS = 1_024
"""Results of each check that are kept: most calls go to few hosts."""

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
"""All allocated unicast addresses; no other address is public."""
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
"""Link-local addresses, and addresses at which clouds serve credentials to their machines."""
EMBEDDED_IPV4 = tuple(
    IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
SIX_TO_FOUR = IPv6Network("2002::/16")
ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""The 32 bits before the IPv4 address in an ISATAP address."""


@lru_cache(KEPT_RESULTS)
def parse_address(text: str) -> Address | None:
    """Parse a textual address; return None if it is none. IPv4-mapped IPv6 becomes IPv4.

    An address with a scope is refused, because a scope has a meaning on one machine only.
    """
    try:
        address = ip_address(text if "%" not in text else "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


@lru_cache(KEPT_RESULTS)
def is_public(text: str) -> bool:
    """Return True if a textual address belongs to the public internet."""
    address = parse_address(text)
    if address is None:
        return False
    if isinstance(address, IPv4Address):
        return _is_public_ipv4(address)
    return _is_public_ipv6(address)


@lru_cache(KEPT_RESULTS)
def is_metadata(text: str) -> bool:
    """Return True if a textual address is, or embeds, a link-local or metadata address."""
    address = parse_address(text)
    if isinstance(address, IPv6Address) and not _is_in(address, METADATA):
        address = _embedded_ipv4(address)
    return address is not None and _is_in(address, METADATA)


def _is_in(address: Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a tunnel or translator derives from the address."""
    number = int(address)
    if address in SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFF_FFFF)
    if _is_in(address, EMBEDDED_IPV4) or number >> 32 & 0xFFFF_FFFF in ISATAP:
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


def is_loopback(host: str) -> bool:
    """Return whether a listening address is reachable from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
