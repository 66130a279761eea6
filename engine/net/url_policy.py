"""Policy for outbound URLs: one strict parser, and rules without look-ups."""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from unicodedata import category, normalize

from msgspec import Struct

from engine.net.addresses import KEPT_RESULTS, is_metadata, is_public, parse_address

PORTS = {"http": 80, "https": 443}
"""Allowed schemes with their default ports, which are the only ports allowed in public."""
URL_REST = r'://[^\x00-\x20\x7f"<>\\^`{|}/?#]+([/?#][^\x00-\x20\x7f"<>\\^`{|}]*)?'
"""Pattern of a URL after its scheme, valid in JSON Schema too."""
MAX_URL_LENGTH = 8_192
MAX_HOST_LENGTH = 253
MISLEADING = re.compile(
    r"[\x00-\x20\x7f-\xa0\\\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    r"\ud800-\udfff]"
)
"""Spaces, control characters and the backslash, which parsers treat differently."""
HIDDEN = re.compile(r"[\u115f\u1160\u17b4\u17b5\u180f\U000e0100-\U000e01ef]")
"""Invisible letters and marks, which some parsers drop from a host."""
SHAPE = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.ASCII | re.IGNORECASE)
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"{LABEL}(?:\.{LABEL})*")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that makes some parsers read the whole host as an IPv4 address."""
PORT = re.compile(r"[1-9][0-9]{0,4}")
MAX_PORT = 65_535

METADATA_NAMES = (
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "metadata.tencentyun.com",
)
DENIED_NAMES = (
    *METADATA_NAMES,
    "home.arpa",
    "internal",
    "lan",
    "local",
    "localdomain",
    "localhost",
)
"""Names that are refused with all names below them, before any look-up."""


class UrlRefused(ValueError):
    """The policy forbids the URL; the message is a sentence that names no address."""


class Target(Struct, frozen=True, kw_only=True):
    """Target of an accepted URL; `host` is ASCII, in lower case and without brackets."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    """Path and query, unchanged."""

    @property
    def url(self) -> str:
        """The URL in a canonical spelling that all parsers read alike."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.bracketed_host}{port}{self.path}"

    @property
    def bracketed_host(self) -> str:
        """The host as a URL has it."""
        return f"[{self.host}]" if ":" in self.host else self.host


def check_url(url: str, *, allow_private: bool = False) -> Target:
    """Return the target of a URL that may be called. Raises UrlRefused.

    `allow_private` allows everything but link-local addresses and metadata services.
    Names are not resolved here: the connection checks each resolved address with `is_public`.
    """
    if len(url) > MAX_URL_LENGTH:
        raise UrlRefused(f"The URL is longer than {MAX_URL_LENGTH} characters")
    if MISLEADING.search(url):
        raise UrlRefused("The URL has a space, a backslash or a control character in it")
    target = _parse(url)
    _check_metadata(target.host)
    if not allow_private:
        _check_public(target)
    return target


def _parse(url: str) -> Target:
    match = SHAPE.fullmatch(url)
    if match is None:
        raise UrlRefused("The URL must begin with http:// or https://")
    scheme, authority, path, query, fragment = match.groups(default="")
    if "@" in authority or (not path and "@" in query + fragment):
        raise UrlRefused("The URL must not carry a user name or password")
    host, port = _read_authority(authority)
    scheme = scheme.lower()
    return Target(
        scheme=scheme,
        host=host,
        port=PORTS[scheme] if port is None else port,
        path=(path or "/") + query,
    )


@lru_cache(KEPT_RESULTS)
def _read_authority(authority: str) -> tuple[str, int | None]:
    host, port = _split(authority)
    return _read_host(host), None if port is None else _read_port(port)


def _split(authority: str) -> tuple[str, str | None]:
    end = authority.find("]") + 1
    host, colon, port = authority[end:].partition(":")
    return authority[:end] + host, port if colon else None


def _read_port(text: str) -> int:
    if not PORT.fullmatch(text) or int(text) > MAX_PORT:
        raise UrlRefused("The port of the URL is not valid")
    return int(text)


def _read_host(text: str) -> str:
    try:
        if text.startswith("["):
            return _read_ipv6(text)
        host = text.lower() if text.isascii() else _to_ascii(text)
        if NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(IPv4Address(host))
    except ValueError:
        raise UrlRefused("The URL names no valid host") from None
    if len(host) > MAX_HOST_LENGTH or not HOST.fullmatch(host):
        raise UrlRefused("The URL names no valid host")
    return host


def _read_ipv6(text: str) -> str:
    if not text.endswith("]") or "%" in text:
        raise ValueError
    return IPv6Address(text[1:-1]).compressed


def _to_ascii(host: str) -> str:
    """Return the ASCII form of an international name. Raises ValueError unless it round-trips."""
    name = host.lower()
    if HIDDEN.search(name) or normalize("NFKC", name).casefold() != name:
        raise ValueError
    if not all(character.isascii() or category(character)[0] in "LM" for character in name):
        raise ValueError
    encoded = name.encode("idna")
    if encoded.decode("idna") != name:
        raise ValueError
    return encoded.decode("ascii")


def _check_public(target: Target) -> None:
    if target.port not in PORTS.values():
        raise UrlRefused("Only the ports 80 and 443 may be called")
    if parse_address(target.host) is None:
        _check_name(target.host)
    elif not is_public(target.host):
        raise UrlRefused("The URL leads to an address that is not public")


def _check_name(host: str) -> None:
    if "." not in host or _is_below(host, DENIED_NAMES):
        raise UrlRefused("The URL leads to a name that is not public")


def _check_metadata(host: str) -> None:
    if _is_metadata_host(host):
        raise UrlRefused("The URL leads to a link-local address or a metadata service")


@lru_cache(KEPT_RESULTS)
def _is_metadata_host(host: str) -> bool:
    return is_metadata(host) or _is_below(host, METADATA_NAMES)


def _is_below(host: str, names: Sequence[str]) -> bool:
    return any(f".{host}".endswith(f".{name}") for name in names)
