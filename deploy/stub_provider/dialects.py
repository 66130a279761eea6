"""How each protocol words an error, its limits and its demand for a key.

OpenAI: the API reference and the guides "Error codes" and "Rate limits" (platform.openai.com/docs).
Anthropic: docs.claude.com/en/api/errors, …/api/rate-limits, …/api/versioning.
Replicate: replicate.com/docs/reference/http. fal: docs.fal.ai/documentation/model-apis.
Gemini, BytePlus ModelArk, sunoapi.org: as in the modules that speak them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from deploy.stub_provider.limits import Standing, Standings
from deploy.stub_provider.refusals import Refused

Headers = Mapping[str, str]
WRONG_KEY = "wrong"
"""A key that ends so is refused, so that a wrong one can be tried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One protocol's words for what every protocol has."""

    error: Callable[[Refused, str], Mapping[str, Any]]
    rate_headers: Callable[[Standings], Headers]
    check: Callable[[Headers], None]
    id_header: str
    id_prefix: str


def _openai_error(refused: Refused, request_id: str) -> Mapping[str, Any]:
    kinds = {401: "invalid_request_error", 403: "permission_error", 429: "rate_limit_error"}
    usual = "server_error" if refused.status >= 500 else "invalid_request_error"
    codes = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
    return {
        "error": {
            "message": refused.message,
            "type": kinds.get(refused.status, usual),
            "param": refused.param,
            "code": refused.code or codes.get(refused.status),
        }
    }


def _anthropic_error(refused: Refused, request_id: str) -> Mapping[str, Any]:
    kinds = {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
    usual = "api_error" if refused.status >= 500 else "invalid_request_error"
    error = {"type": kinds.get(refused.status, usual), "message": refused.message}
    return {"type": "error", "error": error, "request_id": request_id}


def _replicate_error(refused: Refused, request_id: str) -> Mapping[str, Any]:
    known = {status.value: status.phrase for status in HTTPStatus}
    title = known.get(refused.status, "Error")
    return {"title": title, "detail": refused.message, "status": refused.status}


def _fal_error(refused: Refused, request_id: str) -> Mapping[str, Any]:
    return {"detail": refused.message}


def _gemini_error(refused: Refused, request_id: str) -> Mapping[str, Any]:
    kinds = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
    kind = kinds.get(refused.status, "INTERNAL")
    return {"error": {"code": refused.status, "message": refused.message, "status": kind}}


def _ark_error(refused: Refused, request_id: str) -> Mapping[str, Any]:
    kinds = {401: "AuthenticationError", 404: "NotFound", 429: "RateLimitExceeded"}
    usual = "InternalServiceError" if refused.status >= 500 else "InvalidParameter"
    message = f"{refused.message} Request id: {request_id}"
    error = {"code": kinds.get(refused.status, usual), "message": message}
    return {"error": {**error, "param": refused.param or "", "type": "Error"}}


def _suno_error(refused: Refused, request_id: str) -> Mapping[str, Any]:
    return {"code": refused.status, "msg": refused.message, "data": None}


def _no_rates(standings: Standings) -> Headers:
    return {}


def _openai_rates(standings: Standings) -> Headers:
    def named(unit: str, standing: Standing | None) -> Iterator[tuple[str, str]]:
        if standing is not None:
            if standing.limit is not None:
                yield f"x-ratelimit-limit-{unit}", str(standing.limit)
            yield f"x-ratelimit-remaining-{unit}", str(standing.remaining)
            yield f"x-ratelimit-reset-{unit}", duration(standing.reset_seconds)

    return {
        **dict(named("requests", standings.requests)),
        **dict(named("tokens", standings.tokens)),
    }


def duration(seconds: float) -> str:
    """A time as OpenAI writes it: 12ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:.3g}s" if minutes else f"{rest:.4g}s"


def _anthropic_rates(standings: Standings) -> Headers:
    def named(unit: str, standing: Standing | None) -> Iterator[tuple[str, str]]:
        if standing is not None:
            reset = datetime.now(UTC) + timedelta(seconds=standing.reset_seconds)
            start = f"anthropic-ratelimit-{unit}"
            if standing.limit is not None:
                yield f"{start}-limit", str(standing.limit)
            yield f"{start}-remaining", str(standing.remaining)
            yield f"{start}-reset", f"{reset:%Y-%m-%dT%H:%M:%SZ}"

    return {
        **dict(named("requests", standings.requests)),
        **dict(named("tokens", standings.tokens)),
    }


def _gemini_key(headers: Headers) -> None:
    key = headers.get("x-goog-api-key", "")
    if not key:
        raise Refused(403, "(stub) Method doesn't allow unregistered callers.")
    if key.endswith(WRONG_KEY):
        raise Refused(400, "(stub) API key not valid. Please pass a valid API key.")


def _bearer(headers: Headers) -> None:
    """A key is not needed, as with most servers of one's own; a wrong one is refused."""
    if headers.get("authorization", "").endswith(WRONG_KEY):
        raise Refused(401, "(stub) Incorrect API key provided.")


def _anthropic_key(headers: Headers) -> None:
    # Its own library sends a bearer token since version 2 where it used to send x-api-key.
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not key:
        raise Refused(401, "x-api-key header is required")
    if key.endswith(WRONG_KEY):
        raise Refused(401, "invalid x-api-key")
    if not headers.get("anthropic-version"):
        raise Refused(400, "anthropic-version: header is required")


OPENAI = Dialect(
    error=_openai_error,
    rate_headers=_openai_rates,
    check=_bearer,
    id_header="x-request-id",
    id_prefix="req_",
)
ANTHROPIC = Dialect(
    error=_anthropic_error,
    rate_headers=_anthropic_rates,
    check=_anthropic_key,
    id_header="request-id",
    id_prefix="req_",
)
REPLICATE = Dialect(
    error=_replicate_error,
    rate_headers=_openai_rates,
    check=_bearer,
    id_header="x-request-id",
    id_prefix="",
)
FAL = Dialect(
    error=_fal_error,
    rate_headers=_openai_rates,
    check=_bearer,
    id_header="x-fal-request-id",
    id_prefix="",
)
GEMINI = Dialect(
    error=_gemini_error,
    rate_headers=_no_rates,
    check=_gemini_key,
    id_header="x-request-id",
    id_prefix="",
)
ARK = Dialect(
    error=_ark_error,
    rate_headers=_no_rates,
    check=_bearer,
    id_header="x-request-id",
    id_prefix="",
)
SUNO = Dialect(
    error=_suno_error,
    rate_headers=_no_rates,
    check=_bearer,
    id_header="x-request-id",
    id_prefix="",
)
