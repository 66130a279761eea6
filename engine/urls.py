"""Which URLs and addresses may be called from here: pure policy, no look-ups."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"http": 80, "https": 443}
"""Allowed schemes, each with the port it means; the ports are the only ones allowed in public."""
MAX_URL_LENGTH = 8_192
MISLEADING = re.compile(r"[\x00-\x20\x7f\\]")
"""Characters that parsers read differently: spaces, controls, the backslash."""

DENIED_NAMES = ("localhost", "metadata.google.internal")
"""Names that are refused, and all names below them, whatever they resolve to."""
DENIED_IPV4 = tuple(
    ipaddress.IPv4Network(text)
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
DENIED_IPV6 = tuple(
    ipaddress.IPv6Network(text)
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


class UrlRefused(ValueError):
    """This URL is not called; the message is a sentence that names no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where an accepted URL leads; `host` is in lower case and without brackets."""

    scheme: str
    host: str
    port: int


def check_url(url: str, *, allow_private: bool = False) -> Target:
    """Say where a URL leads, if it may be called at all. Raises UrlRefused.

    A name is not looked up here: what it resolves to is checked by `is_public` on connecting.
    """
    if len(url) > MAX_URL_LENGTH:
        raise UrlRefused(f"The URL is longer than {MAX_URL_LENGTH} characters")
    if MISLEADING.search(url):
        raise UrlRefused("The URL has a space, a backslash or a control character in it")
    target = _target(url)
    if not allow_private:
        _check_public(target)
    return target


def is_public(address: str) -> bool:
    """Whether a textual IP address is one of the public internet; a scope id makes it private."""
    parsed = _parse_address(address)
    if parsed is None or getattr(parsed, "scope_id", None):
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return _is_public(mapped or parsed)


def _target(url: str) -> Target:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlRefused("The URL does not parse") from None
    if parts.scheme not in PORTS:
        raise UrlRefused("The URL must begin with http:// or https://")
    return Target(
        scheme=parts.scheme,
        host=_host(parts),
        port=PORTS[parts.scheme] if port is None else port,
    )


def _host(parts: SplitResult) -> str:
    if "@" in parts.netloc:
        raise UrlRefused("The URL must not carry a user name or password")
    host = parts.hostname
    if not host or "%" in host:
        raise UrlRefused("The URL names no valid host")
    return host


def _check_public(target: Target) -> None:
    if target.port not in PORTS.values():
        raise UrlRefused("Only the ports 80 and 443 may be called")
    name = "." + target.host.rstrip(".")
    if any(name.endswith("." + denied) for denied in DENIED_NAMES):
        raise UrlRefused("The URL leads to a name that is not public")
    if _parse_address(target.host) is not None and not is_public(target.host):
        raise UrlRefused("The URL leads to an address that is not public")


def _parse_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        denied = any(address in network for network in DENIED_IPV4)
    else:
        denied = any(address in network for network in DENIED_IPV6)
    return not denied and address.is_global
