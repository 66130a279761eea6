"""The next call after a redirect (RFC 9110, 15.4); pure."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urljoin

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
    if _is_elsewhere(target, url):
        headers = tuple(pair for pair in headers if pair[0].lower() in HARMLESS)
    body = call.body if method == call.method else None
    return replace(call, method=method, url=url, headers=headers, body=body, signature=())


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


def _is_elsewhere(target: Target, url: str) -> bool:
    """Return whether the URL has another host or port, or the same without TLS."""
    try:
        there = check_url(url, allow_private=True)
    except UrlRefused:
        return True
    if (there.scheme, there.host, there.port) == (target.scheme, target.host, target.port):
        return False
    is_upgrade = (target.scheme, there.scheme) == ("http", "https")
    is_usual = (target.port, there.port) == (PORTS[target.scheme], PORTS[there.scheme])
    return not (there.host == target.host and is_upgrade and is_usual)
