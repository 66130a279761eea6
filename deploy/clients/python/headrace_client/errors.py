"""Errors of the client: a class for each family of answers, and for calls without an answer."""

from collections.abc import Mapping
from typing import Any


class HeadraceError(Exception):
    """Any error of this client."""


class ConnectionFailedError(HeadraceError):
    """No answer came, after all retries. What the call was to begin may go on."""


class WaitTimeoutError(HeadraceError):
    """The caller's timeout ended before the wait; the execution or the batch goes on."""

    def __init__(
        self, message: str, *, execution_id: str | None = None, batch_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.execution_id = execution_id
        self.batch_id = batch_id


class WebhookVerificationError(HeadraceError):
    """A webhook's signature is missing, wrong or too old: its body must not be believed."""


class ApiError(HeadraceError):
    """An answer that is an error; its text is the server's sentence."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        body: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        """HTTP status."""
        self.code = code
        """Code of the error; None for a 401, and where no Headrace answered."""
        self.body = dict(body or {})
        """Members of the answer: `error`, `code`, and those of the code."""
        self.request_id = request_id
        """`X-Request-Id`, by which an operator finds the call in the log."""
        self.retry_after = retry_after
        """Seconds after which the server asks to be called again."""

    @property
    def execution_id(self) -> str | None:
        """Id of the execution that the error is about, if it is about one."""
        found = self.body.get("executionId")
        return found if isinstance(found, str) else None

    @property
    def trace_id(self) -> str | None:
        """Id of the trace that the call belongs to, if there is one."""
        found = self.body.get("traceId")
        return found if isinstance(found, str) else None


class InvalidRequestError(ApiError):
    """The request is not right (400, 405, 408, 413, 415, 431, 508)."""


class AuthenticationError(ApiError):
    """The key is missing, unknown, expired or deleted (401)."""


class CreditsError(ApiError):
    """It costs more than the balance, the grant or `max_credits` covers (402)."""


class PermissionDeniedError(ApiError):
    """The key or its account may not do this (403)."""


class NotFoundError(ApiError):
    """There is no such thing for this caller (404)."""


class ConflictError(ApiError):
    """The state of a thing, or of an idempotency key, does not allow it (409, 412, 422)."""


class ExecutionCancelledError(ConflictError):
    """The execution that was waited for has been cancelled."""


class RateLimitError(ApiError):
    """Too many calls, and no room before the caller's timeout (429)."""


class ServerError(ApiError):
    """The server, or a proxy before it, could not answer (5xx)."""


class ExecutionFailedError(ServerError):
    """A node of the run failed; `body` names it: `nodeId`, `nodeCode`, `reason`, `retryable`."""


FAMILIES: Mapping[int, type[ApiError]] = {
    401: AuthenticationError,
    402: CreditsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    422: ConflictError,
    429: RateLimitError,
    508: InvalidRequestError,
}
BY_CODE: Mapping[str, type[ApiError]] = {
    "EXECUTION_FAILED": ExecutionFailedError,
    "EXECUTION_CANCELLED": ExecutionCancelledError,
    "INSUFFICIENT_CREDITS": CreditsError,
    "MAX_CREDITS_EXCEEDED": CreditsError,
}
LAST_CLIENT_ERROR = 499


def family(status: int, code: str | None) -> type[ApiError]:
    """Return the class of errors with this status and code."""
    known = BY_CODE.get(code or "") or FAMILIES.get(status)
    return known or (InvalidRequestError if status <= LAST_CLIENT_ERROR else ServerError)
