"""The next call after a redirect (RFC 9110, 15.4); pure."""

from collections.abc import Sequence
from urllib.parse import unquote, unquote_plus, urljoin

from msgspec import structs

from engine.errors.nodes import NodeFailed
from engine.net.url_policy import MISLEADING, PORTS, Target, UrlRefused, check_url
from engine.nodes.support.base import HttpCall

STATUSES = frozenset({301, 302, 303, 307, 308})
BECOMES_GET = {301: frozenset({"POST"}), 302: frozenset({"POST"})}
"""The common behaviour of clients, which the standard allows."""
OF_THE_BODY = frozenset(
    {
        "content-encoding",
        "content-language",
        "content-location",
        "content-md5",
        "content-type",
        "digest",
    }
)
HARMLESS = OF_THE_BODY | {"accept", "accept-language", "cache-control", "pragma", "user-agent"}
"""Headers that another host receives: any other header of an author may be a secret."""


def next_call(call: HttpCall, target: Target, status: int, locations: Sequence[str]) -> HttpCall:
    """Return the call that follows. Raises NodeFailed for a redirect without a valid target."""
    url = _join(target, locations)
    method = _next_method(call.method, status)
    headers = call.headers
    if method != call.method:
        headers = tuple(pair for pair in headers if pair[0].lower() not in OF_THE_BODY)
    there = _target(url)
    if _is_elsewhere(target, there):
        headers = tuple(pair for pair in headers if pair[0].lower() in HARMLESS)
    if _origin(there) != _origin(target):
        if any(map(call.secrets.is_in, (url, unquote(url), unquote_plus(url)))):
            message = "The server redirects a secret of the account to another origin"
            raise NodeFailed("secret_exposed", message)
        headers = tuple(pair for pair in headers if not call.secrets.is_in(pair[1]))
    body = call.body if method == call.method else None
    return structs.replace(call, method=method, url=url, headers=headers, body=body, signature=())


def _join(target: Target, locations: Sequence[str]) -> str:
    if len(set(locations)) != 1:
        raise NodeFailed("bad_response", "The server redirects to several places at once")
    try:
        if not MISLEADING.search(locations[0]):  # urljoin strips some of those
            return urljoin(target.url, locations[0])
    except ValueError:
        pass
    raise NodeFailed("url_blocked", "The server redirects to a URL that is not valid")


def _next_method(method: str, status: int) -> str:
    if status == 303:
        return "HEAD" if method == "HEAD" else "GET"
    return "GET" if method in BECOMES_GET.get(status, ()) else method


def _target(url: str) -> Target | None:
    try:
        return check_url(url, allow_private=True)
    except UrlRefused:
        return None


def _origin(target: Target | None) -> tuple[str, str, int] | None:
    return None if target is None else (target.scheme, target.host, target.port)


def _is_elsewhere(target: Target, there: Target | None) -> bool:
    """Return whether the redirect leads to another host or port, or to the same without TLS."""
    if there is None:
        return True
    if _origin(there) == _origin(target):
        return False
    is_upgrade = (target.scheme, there.scheme) == ("http", "https")
    is_usual = (target.port, there.port) == (PORTS[target.scheme], PORTS[there.scheme])
    return not (there.host == target.host and is_upgrade and is_usual)
