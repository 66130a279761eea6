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
