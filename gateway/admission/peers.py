"""Address of a caller: the peer's, or the one that a trusted proxy forwards."""

import functools
import ipaddress
from collections.abc import Sequence

from starlette.types import Scope

from engine.settings import PREFIX, SettingError

VARIABLE = PREFIX + "TRUSTED_PROXIES"
FORWARDED_FOR = b"x-forwarded-for"
IPV6_PREFIX = 64
"""Prefix length of an IPv6 network; a caller that has one has every address within it."""
MAX_CACHED = 10_000
MAX_CACHED_BYTES = 256
"""A longer header is parsed anew each time, because all headers together may be as long."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Peers:
    """Tells callers apart by address.

    Only trusted proxies are believed: the caller is the right-most address of `X-Forwarded-For`
    that is not itself a trusted proxy. Other forwarding headers are ignored.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._origin = functools.lru_cache(MAX_CACHED)(self._find_origin)

    @classmethod
    def parse(cls, trusted_proxies: str) -> "Peers":
        """Build it from the setting that lists the proxies. Raises SettingError."""
        texts = [text.strip() for text in trusted_proxies.split(",") if text.strip()]
        try:
            return cls([ipaddress.ip_network(text) for text in texts])
        except ValueError as error:
            raise SettingError(f"{VARIABLE}: {error}") from None

    def address(self, scope: Scope) -> str:
        """Return the address of the caller; the network for IPv6."""
        client = scope["client"]
        peer = client[0] if client else ""
        if not self._trusted:
            return peer if ":" not in peer else self._origin(peer, b"")
        hops = [value for name, value in scope["headers"] if name == FORWARDED_FOR]
        forwarded = b",".join(hops)
        find = self._origin if len(forwarded) <= MAX_CACHED_BYTES else self._find_origin
        return find(peer, forwarded)

    def is_proxy(self, address: str) -> bool:
        """Return whether an IP address is that of a trusted proxy."""
        found = _parse(address) if self._trusted else None
        return found is not None and self._trusts(found)

    def network(self, address: str) -> str:
        """Return an IPv4 address, or the network of an IPv6 address."""
        return self._origin(address, b"") if ":" in address else address

    def _find_origin(self, peer: str, forwarded: bytes) -> str:
        origin = _parse(peer)
        if origin is None:
            return peer
        for hop in reversed(forwarded.decode("latin-1").split(",")):
            before = _parse(hop.strip()) if self._trusts(origin) else None
            if before is None:
                break
            origin = before
        return _network_of(origin)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network_of(address: Address) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX), strict=False))
