"""Rate limits as callers see them: headers on every answer of a limited route, and the refusal."""

from starlette.types import Scope

from engine.access.tiers import TierTerms
from engine.errors import RateLimitExceeded
from engine.store.accounts.rate_limits import WINDOW_SECONDS, Window
from gateway.http import response_headers

WORKFLOW_RUNS = "workflows/run"
MODEL_RUNS = "models/run"
"""The buckets: one for each route whose calls are limited, not for each path."""
RUNS = frozenset({WORKFLOW_RUNS, MODEL_RUNS})


def apply_window(scope: Scope, terms: TierTerms, window: Window) -> None:
    """Tell the caller where it stands. Raises RateLimitExceeded when this call is too many."""
    response_headers.note(
        scope,
        x_ratelimit_limit=window.limit,
        x_ratelimit_remaining=window.remaining,
        x_ratelimit_reset=window.ends_at,
        ratelimit=f'"default";r={window.remaining};t={window.seconds_left}',
        ratelimit_policy=f'"default";q={window.limit};w={WINDOW_SECONDS}',
    )
    if window.is_refused:
        raise RateLimitExceeded(terms.tier.value, window.limit, window.seconds_left)
