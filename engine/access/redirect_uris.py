"""Redirect URIs of OAuth: addresses that a browser is sent to with the code of a grant.

A redirect URI is compared character by character. Only the port of a program on the caller's own
computer may differ, as RFC 8252 demands: it is not known before the program listens.
"""

import re
from urllib.parse import SplitResult, urlencode, urlsplit

MAX_LENGTH = 2_000
VISIBLE = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII without backslashes, which browsers take for slashes."""
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FORBIDDEN_SCHEMES = frozenset(
    {
        *("about", "blob", "chrome", "chrome-extension", "data", "file", "filesystem", "ftp"),
        *("intent", "jar", "javascript", "mailto", "ms-appx", "resource", "sms", "tel"),
        *("vbscript", "view-source", "ws", "wss"),
    }
)
"""Schemes that browsers act on themselves, or that reach no program which has asked."""


def check_redirect_uri(uri: str) -> None:
    """Raise ValueError, with a sentence, for an address that no code may be sent to."""
    if len(uri) > MAX_LENGTH:
        raise ValueError(f"A redirect URI has at most {MAX_LENGTH:,} characters")
    if VISIBLE.fullmatch(uri) is None:
        raise ValueError("A redirect URI has visible ASCII characters only, and no backslash")
    parts = _split(uri)
    if SCHEME.fullmatch(parts.scheme) is None or parts.scheme in FORBIDDEN_SCHEMES:
        raise ValueError("A redirect URI has the scheme https, or that of a program")
    if "#" in uri:
        raise ValueError("A redirect URI has no fragment")
    if parts.scheme in ("http", "https"):
        _check_web(parts)


def _check_web(parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise ValueError("A redirect URI names no user")
    if not parts.hostname:
        raise ValueError("A redirect URI names a host")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("A redirect URI has the scheme https, unless its host is the loopback")


def fits(registered: str, requested: str) -> bool:
    """Return whether a requested redirect URI is the registered one."""
    if registered == requested:
        return True
    try:
        ours, theirs = _split(registered), _split(requested)
    except ValueError:
        return False
    if ours.scheme != "http" or ours.hostname not in LOOPBACK or "@" in theirs.netloc:
        return False
    return _without_port(ours) == _without_port(theirs)


def _split(uri: str) -> SplitResult:
    parts = urlsplit(uri)
    _ = parts.port  # raises for a port that is none
    return parts


def _without_port(parts: SplitResult) -> tuple[str, str | None, str, str, str]:
    # A browser asks for "/" where an address has no path.
    return (parts.scheme, parts.hostname, parts.path or "/", parts.query, parts.fragment)


def redirect_with(uri: str, answer: dict[str, str | None]) -> str:
    """Return the redirect URI with the members of the answer that are there, in its query."""
    members = urlencode({name: value for name, value in answer.items() if value is not None})
    return f"{uri}{'&' if '?' in uri else '?'}{members}"
