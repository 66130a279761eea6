"""Error answers: status, body and headers."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from engine import errors
from engine.errors import EngineError, Unauthorized
from engine.telemetry.traces.context import CURRENT

STATUS: dict[type[EngineError], int] = {
    errors.EngineError: 500,
    errors.InvalidRequest: 400,
    errors.Unauthorized: 401,
    errors.InvalidSignature: 401,
    errors.PaymentRequired: 402,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.VersionConflict: 412,
    errors.RevisionConflict: 412,
    errors.BodyTooLarge: 413,
    errors.QuotaExceeded: 413,
    errors.UnsupportedMediaType: 415,
    errors.IdempotencyKeyReused: 422,
    errors.RateLimitExceeded: 429,
    errors.ExecutionFailed: 500,
    errors.ResultGone: 500,
    errors.LoopDetected: 508,
    errors.Unavailable: 503,
}
"""HTTP status of the root and of each class right below it; other classes inherit it."""

_encode = msgspec.json.Encoder().encode


def new_request_id() -> str:
    """Return an id for a request that came without one."""
    return secrets.token_hex(16)


def error_body(message: str, code: str | None, context: Mapping[str, Any] | None = None) -> bytes:
    """Return the body of an error: a sentence, a code unless it is a 401, and context members.

    One of a request in a trace names the trace too.
    """
    body = {"error": message}
    if code is not None:
        body["code"] = code
    trace = CURRENT.get()
    if trace is not None:
        body["traceId"] = trace.trace_id
    return _encode({**body, **(context or {})})


def error_response(error: EngineError) -> Response:
    """Return the answer for an expected error of the engine."""
    headers = {}
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(error.retry_after_seconds)
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = 'ApiKey header="x-api-key"'
    status = next(STATUS[each] for each in type(error).__mro__ if each in STATUS)
    return plain_error(status, error.message, error.code, context=error.context, headers=headers)


def plain_error(
    status: int,
    message: str,
    code: str | None,
    *,
    context: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error answer without a class in the engine."""
    return Response(
        error_body(message, code, context), status, headers, media_type="application/json"
    )


def internal_error() -> Response:
    """Return the answer for a bug; its details are in the log alone."""
    return plain_error(500, "Something went wrong on our side", "INTERNAL_ERROR")


def method_not_allowed(allowed: str) -> Response:
    """Return the answer for a path that exists under other methods."""
    return plain_error(
        405, f"This path answers {allowed} only", "METHOD_NOT_ALLOWED", headers={"allow": allowed}
    )
