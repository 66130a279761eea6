"""Failures of calls of tools, in words of their own: errors of the library repeat values."""

import msgspec
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, PARSE_ERROR
from pydantic import ValidationError

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpAnswer
from engine.nodes.support.http_answer import refused
from workers.mcp.transport import EgressTransport

MAX_MESSAGE = 2_048
UNREADABLE = "The server's answer is not one of the protocol"
OF_HTTP = frozenset({401, 403, 408, 425, 429})
"""Statuses that say more than the error of the protocol that comes with them."""
OF_STREAMS = "SSE stream"
"""Beginning of the library's own errors of a code that servers use too."""
SPOKEN = ("application/json", "text/event-stream")
"""Content types of the protocol."""


def explain(error: Exception, transport: EgressTransport) -> Exception:
    """Return the failure of the node; an error that is a fault of ours as it is."""
    match transport.failure or _innermost(error):
        case NodeFailed() as failure:
            return failure
        case TimeoutError():
            return _timed_out(transport.seconds)
        case MCPError() as refusal:
            return _explain_refusal(refusal, transport)
        case ValidationError():
            return NodeFailed("bad_response", UNREADABLE)
        case other:
            return other


def too_many_tools() -> NodeFailed:
    """Return the failure of a list without a reasonable end."""
    return NodeFailed("bad_response", "The server lists more tools or pages than can be read")


def _timed_out(seconds: float) -> NodeFailed:
    message = f"No answer within {seconds:g} s"
    return NodeFailed("timeout", message, retryable=True, may_have_arrived=True)


def _innermost(error: Exception) -> Exception:
    """Return the error within groups, which the library's tasks make of one."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _explain_refusal(error: MCPError, transport: EgressTransport) -> NodeFailed:
    answer = transport.answer
    if answer is not None and answer.status >= 400 and not _has_own_words(answer):
        return refused(answer, transport.secrets)
    fault = None if answer is None else _fault(answer)
    if fault is not None:
        return NodeFailed("bad_response", fault)
    if error.code == PARSE_ERROR:
        return NodeFailed("bad_response", UNREADABLE)
    if error.code == CONNECTION_CLOSED and error.message.startswith(OF_STREAMS):
        message = "The server ended its stream without an answer"
        return NodeFailed("bad_response", message, retryable=True, may_have_arrived=True)
    # The cut comes last: of a secret that it splits, a part would stay.
    words = transport.secrets.redact_text(error.message)[:MAX_MESSAGE]
    return NodeFailed("tool_refused", f"The server refused: {words}")


def _has_own_words(answer: HttpAnswer) -> bool:
    """Return whether the body of a failed answer is an error of the protocol."""
    if answer.status in OF_HTTP or answer.status >= 500:
        return False
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(body, dict) and isinstance(body.get("error"), dict)


def _fault(answer: HttpAnswer) -> str | None:
    """Return the fault of an answer that is none of the protocol, by its head."""
    if 300 <= answer.status < 400:
        return "The server redirects elsewhere, which is not followed"
    if answer.status == 202:
        return "The server accepted the call without an answer"
    kind = answer.headers.get("content-type", "no content type")[:100]
    if answer.status < 300 and not kind.lower().startswith(SPOKEN):
        return f"The server answers with {kind}, so its URL is none of the protocol"
    return None
