"""Requests of browsers: the session cookie and the checks of the origin."""

import re
from urllib.parse import unquote

from starlette.types import Scope

from engine.errors import CsrfFailed
from gateway.admission.credentials import SESSION_COOKIE, header_values
from gateway.admission.own_origins import VARIABLE, OwnOrigins

COOKIE_SECONDS = 30 * 86_400
BODY_TYPES = frozenset({"application/json", "multipart/form-data"})
TYPED_ADDRESS = {
    b"sec-fetch-site": ["none"],
    b"sec-fetch-mode": ["navigate"],
    b"sec-fetch-dest": ["document"],
}
SCRIPT = re.compile(r"curl|wget|python|httpx|aiohttp|node|undici|playwright", re.IGNORECASE)
"""Clients without a page, and so without a button to press."""
MAX_PATH = 2_048
OWN_PATH = re.compile(r"/[!-\[\]-~]*")
"""A path in visible ASCII without backslashes, which browsers take for slashes."""
SIGN_IN = "/login"
DOT_SEGMENTS = frozenset({".", ".."})
"""Segments that browsers resolve, so that a path with one leads to another path."""


def own_path(text: str) -> str | None:
    """Return a text that is a path of this host, with its query and fragment; None for others.

    However often a browser or a proxy decodes the path, it names no other host. The path of the
    sign-in is refused, since a foreign link could follow its own.
    """
    if len(text) > MAX_PATH or OWN_PATH.fullmatch(text) is None:
        return None
    path = re.split(r"[?#]", text, maxsplit=1)[0]
    while True:
        if _is_ambiguous(path) or path.rstrip("/") == SIGN_IN:
            return None
        decoded = unquote(path)
        if decoded == path:
            return text
        path = decoded


def _is_ambiguous(path: str) -> bool:
    """Return whether a browser may read the path as another path or host."""
    has_control = any(ord(each) < ord(" ") or each == "\x7f" for each in path)
    has_dots = not DOT_SEGMENTS.isdisjoint(path.split("/"))
    return has_control or has_dots or "//" in path or "\\" in path


def session_cookie(token: str, scope: Scope, own: OwnOrigins) -> str:
    """Return the Set-Cookie header that sets the session, or clears it when the token is empty."""
    seconds = COOKIE_SECONDS if token else 0
    secure = "; Secure" if _is_secure(scope, own) else ""
    return f"{SESSION_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _is_secure(scope: Scope, own: OwnOrigins) -> bool:
    # A caller that lies about its scheme only makes its own cookie stricter.
    forwarded = ",".join(header_values(scope, b"x-forwarded-proto")).split(",")
    schemes = [scope["scheme"], *forwarded]
    return own.is_https or any(scheme.strip().lower() == "https" for scheme in schemes)


def check_own_write(scope: Scope, own: OwnOrigins) -> None:
    """Raise CsrfFailed for a write that another site's page may have sent."""
    if not header_values(scope, b"origin") and not header_values(scope, b"sec-fetch-site"):
        raise CsrfFailed("A write with a session needs an Origin header")
    check_origin(scope, own)
    types = header_values(scope, b"content-type")
    if types or _has_body(scope):
        media_types = {each.partition(";")[0].strip().lower() for each in types}
        if len(types) != 1 or not media_types <= BODY_TYPES:
            raise CsrfFailed("A write with a session needs a JSON or multipart body")


def check_origin(scope: Scope, own: OwnOrigins) -> None:
    """Raise CsrfFailed for a request whose headers name another site."""
    origins, sites = header_values(scope, b"origin"), header_values(scope, b"sec-fetch-site")
    is_foreign = any(not own.include(origin, scope) for origin in origins)
    # Without an origin, the word "same-origin" means the requested host.
    is_unknown = bool(sites) and not origins and not own.include_host(scope)
    if any(site != "same-origin" for site in sites):
        raise CsrfFailed("This write comes from another site")
    if is_foreign or is_unknown:
        raise CsrfFailed(_explain(scope, origins))


def _explain(scope: Scope, origins: list[str]) -> str:
    hosts = {host.lower() for host in header_values(scope, b"host")}
    if all(origin.lower().partition("//")[2] in hosts for origin in origins):
        return f"The gateway does not know this address as its own: {VARIABLE} names it"
    return "This write comes from another site"


def is_deliberate_visit(scope: Scope) -> bool:
    """Return whether a person or a script opened this address, not a page, preview or prefetch."""
    sent = {name: header_values(scope, name) for name in TYPED_ADDRESS}
    if scope["method"] != "GET" or header_values(scope, b"sec-purpose"):
        return False
    if any(sent.values()):
        return sent == TYPED_ADDRESS
    return any(SCRIPT.match(agent) for agent in header_values(scope, b"user-agent"))


def _has_body(scope: Scope) -> bool:
    lengths = header_values(scope, b"content-length")
    return any(length != "0" for length in lengths) or bool(
        header_values(scope, b"transfer-encoding")
    )
