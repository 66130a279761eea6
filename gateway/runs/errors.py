"""Errors of runs."""

from engine import errors

RUN_ERRORS: tuple[type[errors.EngineError], ...] = (
    errors.InvalidQuery,
    errors.InvalidInputs,
    errors.InvalidIdempotencyKey,
    errors.InsufficientCredits,
    errors.GrantExhausted,
    errors.MaxCreditsExceeded,
    errors.ModelTierRequired,
    errors.ModelNotFound,
    errors.ExecutionCancelled,
    errors.IdempotencyKeyInUse,
    errors.IdempotencyKeyReused,
    errors.TooManyExecutions,
    errors.ExecutionFailed,
    errors.LoopDetected,
)
"""Errors of every run."""
BODY_ERRORS: tuple[type[errors.EngineError], ...] = (*RUN_ERRORS, errors.InvalidWebhook)
"""Errors of every run whose request has a body."""
