"""Errors, rate limits and authentication of each protocol.

OpenAI: the API reference and the guides "Error codes" and "Rate limits" (platform.openai.com/docs).
Anthropic: docs.claude.com/en/api/errors, …/api/rate-limits, …/api/versioning.
Replicate: replicate.com/docs/reference/http. fal: docs.fal.ai/documentation/model-apis.
Gemini, BytePlus ModelArk, sunoapi.org: as in the modules that speak them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.limits import LimitStates

Headers = Mapping[str, str]
WRONG_KEY = "wrong"
"""Suffix of keys that are refused, to try a wrong key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Format of a protocol's rate-limit headers."""

    header: str
    """Name of a header, by `unit` (requests, tokens) and `part` (limit, remaining, reset)."""
    reset: Callable[[float], str]
    """Format of the seconds until the limit is whole again."""


def _bearer(headers: Headers) -> None:
    """Accept calls without a key, as most self-hosted servers do; refuse a wrong key."""
    if headers.get("authorization", "").endswith(WRONG_KEY):
        raise StubRefused(401, "(stub) Incorrect API key provided.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StubDialect:
    """Features of one protocol that every protocol has."""

    shape: Callable[[StubRefused, str, str], Mapping[str, Any]]
    """Body of an error, from its kind and the id of the request."""
    kinds: Mapping[int, str] = field(default_factory=dict)
    """Kind of error by status; others are `usual`, from 500 on `usual_fault`."""
    usual: str = ""
    usual_fault: str = ""
    rates: Rates | None = None
    check: Callable[[Headers], None] = _bearer
    """Raises StubRefused for headers without a valid key."""
    id_header: str = "x-request-id"
    id_prefix: str = ""

    def error(self, refused: StubRefused, request_id: str) -> Mapping[str, Any]:
        """Return the body of a refusal."""
        usual = self.usual_fault if refused.status >= 500 else self.usual
        return self.shape(refused, self.kinds.get(refused.status, usual), request_id)

    def rate_headers(self, limit_states: LimitStates) -> Headers:
        """Return the headers with the states of the limits; absent limits are left out."""
        if self.rates is None:
            return {}
        headers = {}
        for unit, standing in (
            ("requests", limit_states.requests),
            ("tokens", limit_states.tokens),
        ):
            if standing is None:
                continue
            reset = self.rates.reset(standing.reset_seconds)
            parts = {"limit": standing.limit, "remaining": standing.remaining, "reset": reset}
            for part, value in parts.items():
                if value is not None:
                    headers[self.rates.header.format(unit=unit, part=part)] = str(value)
        return headers


def _openai_shape(refused: StubRefused, kind: str, request_id: str) -> Mapping[str, Any]:
    codes = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
    return {
        "error": {
            "message": refused.message,
            "type": kind,
            "param": refused.param,
            "code": refused.code or codes.get(refused.status),
        }
    }


def _anthropic_shape(refused: StubRefused, kind: str, request_id: str) -> Mapping[str, Any]:
    error = {"type": kind, "message": refused.message}
    return {"type": "error", "error": error, "request_id": request_id}


def _replicate_shape(refused: StubRefused, kind: str, request_id: str) -> Mapping[str, Any]:
    return {"title": kind, "detail": refused.message, "status": refused.status}


def _fal_shape(refused: StubRefused, kind: str, request_id: str) -> Mapping[str, Any]:
    return {"detail": refused.message}


def _gemini_shape(refused: StubRefused, kind: str, request_id: str) -> Mapping[str, Any]:
    return {"error": {"code": refused.status, "message": refused.message, "status": kind}}


def _ark_shape(refused: StubRefused, kind: str, request_id: str) -> Mapping[str, Any]:
    message = f"{refused.message} Request id: {request_id}"
    error = {"code": kind, "message": message, "param": refused.param or "", "type": "Error"}
    return {"error": error}


def _suno_shape(refused: StubRefused, kind: str, request_id: str) -> Mapping[str, Any]:
    return {"code": refused.status, "msg": refused.message, "data": None}


def duration(seconds: float) -> str:
    """Return a time in OpenAI's format: 12ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:.3g}s" if minutes else f"{rest:.4g}s"


def _moment_in(seconds: float) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _gemini_key(headers: Headers) -> None:
    key = headers.get("x-goog-api-key", "")
    if not key:
        raise StubRefused(403, "(stub) Method doesn't allow unregistered callers.")
    if key.endswith(WRONG_KEY):
        raise StubRefused(400, "(stub) API key not valid. Please pass a valid API key.")


def _anthropic_key(headers: Headers) -> None:
    # Its own library sends a bearer token since version 2, and sent x-api-key before.
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not key:
        raise StubRefused(401, "x-api-key header is required")
    if key.endswith(WRONG_KEY):
        raise StubRefused(401, "invalid x-api-key")
    if not headers.get("anthropic-version"):
        raise StubRefused(400, "anthropic-version: header is required")


OPENAI_RATES = Rates(header="x-ratelimit-{part}-{unit}", reset=duration)
OPENAI = StubDialect(
    shape=_openai_shape,
    kinds={401: "invalid_request_error", 403: "permission_error", 429: "rate_limit_error"},
    usual="invalid_request_error",
    usual_fault="server_error",
    rates=OPENAI_RATES,
    id_prefix="req_",
)
ANTHROPIC = StubDialect(
    shape=_anthropic_shape,
    kinds={
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    },
    usual="invalid_request_error",
    usual_fault="api_error",
    rates=Rates(header="anthropic-ratelimit-{unit}-{part}", reset=_moment_in),
    check=_anthropic_key,
    id_header="request-id",
    id_prefix="req_",
)
REPLICATE = StubDialect(
    shape=_replicate_shape,
    kinds={status.value: status.phrase for status in HTTPStatus},
    usual="Error",
    usual_fault="Error",
    rates=OPENAI_RATES,
)
FAL = StubDialect(shape=_fal_shape, rates=OPENAI_RATES, id_header="x-fal-request-id")
GEMINI = StubDialect(
    shape=_gemini_shape,
    kinds={
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    },
    usual="INTERNAL",
    usual_fault="INTERNAL",
    check=_gemini_key,
)
ARK = StubDialect(
    shape=_ark_shape,
    kinds={401: "AuthenticationError", 404: "NotFound", 429: "RateLimitExceeded"},
    usual="InvalidParameter",
    usual_fault="InternalServiceError",
)
SUNO = StubDialect(shape=_suno_shape)
