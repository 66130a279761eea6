"""Spans of outbound HTTP calls: method, host and status, and neither paths nor queries."""

from contextlib import AbstractContextManager

from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.support.base import HttpCall
from engine.telemetry.traces.calls import OpenCall, open_call
from engine.telemetry.traces.span import AttributeValue

FAILED_FROM = 400
"""Least status that is a failure of the call, by the conventions of clients."""


def open_http_call(call: HttpCall) -> AbstractContextManager[OpenCall | None]:
    """Return the context in which an HTTP call is made, see `open_call`."""
    attributes: dict[str, AttributeValue | None] = {"http.request.method": call.method}
    try:
        target = check_url(call.url, allow_private=True)
    except UrlRefused:
        return open_call(call.method, attributes)
    attributes |= {
        "url.scheme": target.scheme,
        "server.address": target.host,
        "server.port": target.port,
        "http.request.body.size": len(call.body) if call.body else None,
    }
    return open_call(call.method, attributes)


def note_status(call: OpenCall | None, status: int) -> None:
    """Add the status of the answer to the span of a call."""
    if call is not None:
        call.attributes["http.response.status_code"] = status
        if status >= FAILED_FROM:
            call.error_type = str(status)
