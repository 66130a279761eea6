import pytest

from headrace_client import errors


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "INVALID_BODY", errors.InvalidRequestError),
        (413, "QUOTA_EXCEEDED", errors.InvalidRequestError),
        (401, None, errors.AuthenticationError),
        (402, "grant_exhausted", errors.CreditsError),
        (403, "CAPABILITY_DENIED", errors.PermissionDeniedError),
        (404, "BATCH_NOT_FOUND", errors.NotFoundError),
        (409, "BATCH_NOT_RETRYABLE", errors.ConflictError),
        (409, "EXECUTION_CANCELLED", errors.ExecutionCancelledError),
        (412, "VERSION_CONFLICT", errors.ConflictError),
        (422, "IDEMPOTENCY_KEY_REUSED", errors.ConflictError),
        (429, "RATE_LIMIT_EXCEEDED", errors.RateLimitError),
        (500, "EXECUTION_FAILED", errors.ExecutionFailedError),
        (500, "INTERNAL_ERROR", errors.ServerError),
        (503, "UNAVAILABLE", errors.ServerError),
        (508, "LOOP_DETECTED", errors.InvalidRequestError),
    ],
)
def test_each_family_has_its_class(
    status: int, code: str | None, kind: type[errors.ApiError]
) -> None:
    assert errors.family(status, code) is kind


def test_an_error_names_its_execution() -> None:
    error = errors.ConflictError("Cancelled", status=409, body={"executionId": "e1"})

    assert (error.execution_id, str(error)) == ("e1", "Cancelled")


def test_an_error_names_its_trace() -> None:
    assert errors.NotFoundError("None", status=404, body={"traceId": "4b"}).trace_id == "4b"
    assert errors.NotFoundError("None", status=404, body={}).trace_id is None
