"""Hosts that get the `traceparent` of calls: parts of this installation, unless all may have it."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from engine.net.url_policy import Target, UrlRefused, check_url
from engine.nodes.support.base import HttpCall
from engine.settings import Settings
from engine.telemetry.traces.context import CURRENT, HEADER

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class TraceTargets:
    """Decides which calls tell the trace that they belong to."""

    def __init__(self, urls: Iterable[str] = (), *, are_all: bool = False) -> None:
        """`urls` lead to the hosts and ports that are told; with `are_all`, all others are too."""
        self._origins = set(filter(None, map(_origin, urls)))
        self._are_all = are_all

    @classmethod
    def from_settings(cls, settings: Settings) -> "TraceTargets":
        """Return those of a worker with these settings."""
        known = (settings.public_url, settings.local_model_url, settings.demo_provider_url)
        return cls((*known, *_gateway_urls(settings)), are_all=settings.trace_outbound)

    def header(self, target: Target, call: HttpCall) -> tuple[str, str] | None:
        """Return the header of a call to a target; None: it has none, or one of its own.

        It names the present span, which is that of the call while tracing is on.
        """
        trace = CURRENT.get()
        are_all = self._are_all or call.tells_trace
        if trace is None or not (are_all or _of_target(target) in self._origins):
            return None
        has_own = any(name.lower() == HEADER for name, _ in call.headers)
        return None if has_own else (HEADER, trace.header)


def _gateway_urls(settings: Settings) -> Iterator[str]:
    """Yield the URLs of a gateway that listens as the settings say."""
    host = settings.host
    try:
        address = ip_address(host)
    except ValueError:
        hosts: tuple[str, ...] = LOOPBACK if host == "localhost" else (host,)
    else:
        is_here = address.is_loopback or address.is_unspecified
        hosts = LOOPBACK if is_here else (host if address.version == 4 else f"[{host}]",)
    return (f"http://{each}:{settings.port}" for each in hosts)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        return _of_target(check_url(url, allow_private=True)) if url else None
    except UrlRefused:
        return None


def _of_target(target: Target) -> tuple[str, str, int]:
    return target.scheme, target.host, target.port
