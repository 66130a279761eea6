"""Rate limits in HTTP: headers on every answer of a limited route, and the refusal."""

from starlette.types import Scope

from engine.access.tiers import TierTerms
from engine.errors import RateLimitExceeded
from engine.store.accounts import rate_limits
from engine.store.accounts.rate_limits import WINDOW_SECONDS, Window
from gateway.http import response_headers

WORKFLOW_RUNS = rate_limits.WORKFLOW_RUNS
MODEL_RUNS = "models/run"
"""Buckets: one for each route whose calls are limited, not for each path."""
RUNS = frozenset({WORKFLOW_RUNS, MODEL_RUNS})


def apply_window(scope: Scope, terms: TierTerms, window: Window) -> None:
    """Note the headers of the window. Raises RateLimitExceeded when this call exceeds the limit."""
    response_headers.add(
        scope,
        x_ratelimit_limit=window.limit,
        x_ratelimit_remaining=window.remaining,
        x_ratelimit_reset=window.ends_at,
        ratelimit=f'"default";r={window.remaining};t={window.seconds_left}',
        ratelimit_policy=f'"default";q={window.limit};w={WINDOW_SECONDS}',
    )
    if window.is_refused:
        raise RateLimitExceeded(terms.tier.value, window.limit, window.seconds_left)
