"""Mapping of providers' errors to our failures, with the provider's message where it has one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.models.calls.answer_paths import Path
from engine.values.plain import is_text
from engine.webhooks.schedule import parse_retry_after

RATE_LIMITED = "PROVIDER_RATE_LIMITED"
UNAVAILABLE = "PROVIDER_UNAVAILABLE"
TIMEOUT = "PROVIDER_TIMEOUT"
REJECTED = "PROVIDER_REJECTED"
UNKNOWN = "PROVIDER_UNKNOWN"
"""Code where it is unknown whether a job has begun, and it must not begin twice."""

MAX_MESSAGE = 500
MAX_WAIT_SECONDS = 3_600.0
USUAL_PATHS = tuple(
    Path.parse(text)
    for text in ("error.message", "error", "message", "detail", "detail[].msg", "errors[].message")
)
"""Paths of the message in the error bodies of known providers."""
EVENT_STATUSES = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "timeout_error": 504,
}
"""Status of an error in a stream, by its type; 500 for any other.

From docs.claude.com/en/api/errors and platform.openai.com/docs/guides/error-codes.
"""


class ProviderNotFound(NodeFailed):
    """The provider answers 404."""


def failure_of_status(status: int, headers: Mapping[str, str], message: str) -> NodeFailed:
    """Return the failure of an answer with an error status."""
    if status == 429:
        wait = read_wait(headers)
        return NodeFailed(RATE_LIMITED, message, retryable=True, retry_after=wait)
    if status in (408, 504):
        return NodeFailed(TIMEOUT, message, retryable=True)
    if 500 <= status <= 599:
        wait = read_wait(headers)
        return NodeFailed(UNAVAILABLE, message, retryable=True, retry_after=wait)
    if status == 404:
        return ProviderNotFound(REJECTED, message)
    if 400 <= status <= 499:
        return NodeFailed(REJECTED, message)
    return NodeFailed(BAD_RESPONSE, message)


def failure_of_event(body: Any, message: str) -> NodeFailed:
    """Return the failure of an error event in a stream."""
    error = body.get("error") if isinstance(body, dict) else None
    details = error if isinstance(error, dict) else body if isinstance(body, dict) else {}
    statuses = (_status_of(details.get(name)) for name in ("code", "status", "type"))
    return failure_of_status(next(filter(None, statuses), 500), {}, message)


def _status_of(details: Any) -> int | None:
    if isinstance(details, str):
        return EVENT_STATUSES.get(details.lower()) or _status_of(
            int(details) if details.isdecimal() else 0
        )
    return details if type(details) is int and 400 <= details <= 599 else None


def failure_of_transport(failure: NodeFailed) -> NodeFailed:
    """Return the failure of a call without an answer; its message names no address."""
    message = f"The provider: {failure.message}"
    match failure.code:
        case "timeout":
            return _unanswered(TIMEOUT, message, failure)
        case "connection_failed":
            return _unanswered(UNAVAILABLE, message, failure)
        case "bad_response" if failure.retryable:  # it broke off
            return _unanswered(UNAVAILABLE, message, failure)
        case "bad_response" | "response_too_large":
            return NodeFailed(BAD_RESPONSE, message)
        case "url_blocked" | "header_blocked":
            message = "The model's provider cannot be called as its manifest and key say"
            return NodeFailed(REJECTED, message)
    return failure


def _unanswered(code: str, message: str, failure: NodeFailed) -> NodeFailed:
    may_have_arrived = failure.may_have_arrived
    return NodeFailed(code, message, retryable=True, may_have_arrived=may_have_arrived)


def bad_response(fault: str) -> NodeFailed:
    """Return the failure of an answer that does not have the expected form."""
    return NodeFailed(BAD_RESPONSE, f"The provider's answer {fault}")


def cut_short() -> NodeFailed:
    """Return the failure of an answer whose tokens were used up before it had a text."""
    return bad_response("ended at its limit of tokens before there was any text")


def find_message(body: Any, paths: Sequence[Path]) -> str:
    """Return the provider's own message; empty for none."""
    for text in _texts(body, paths):
        words = " ".join(text.split())
        if words and is_text(words):
            return words
    return ""


def cut(text: str) -> str:
    """Return the text, cut to the maximum length of a message."""
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 1]}…"


def read_wait(headers: Mapping[str, str]) -> float:
    """Return the seconds that the headers ask to wait before the next call; 0 for none."""
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.isascii() and milliseconds.isdigit():
        return min(float(milliseconds[:9]) / 1000, MAX_WAIT_SECONDS)
    header = headers.get("retry-after")
    return min(parse_retry_after(header, datetime.now(UTC)), MAX_WAIT_SECONDS) if header else 0.0


def _texts(body: Any, paths: Sequence[Path]) -> Iterator[str]:
    for path in (*paths, *USUAL_PATHS):
        for found in path.find(body):
            if isinstance(found, str):
                yield found
