"""Counts of calls to providers in metrics, by their outcomes, and their times."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from enum import StrEnum

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.telemetry import metrics
from workers.providers.answers.errors import (
    RATE_LIMITED,
    REJECTED,
    TIMEOUT,
    UNAVAILABLE,
    UNKNOWN,
)
from workers.providers.base import CallContext


class ProviderOutcome(StrEnum):
    """Outcome of a call to a provider, as metrics name it."""

    OK = "ok"
    THROTTLED = "throttled"
    """The provider answered 429."""
    FAILED = "failed"
    """The provider or the way to it failed, or its answer cannot be used."""
    TIMEOUT = "timeout"
    REFUSED = "refused"
    """The provider does not take the request, the key or the balance."""


OUTCOMES = {
    RATE_LIMITED: ProviderOutcome.THROTTLED,
    UNAVAILABLE: ProviderOutcome.FAILED,
    BAD_RESPONSE: ProviderOutcome.FAILED,
    UNKNOWN: ProviderOutcome.FAILED,
    TIMEOUT: ProviderOutcome.TIMEOUT,
    REJECTED: ProviderOutcome.REFUSED,
}


@contextlib.contextmanager
def count_call(provider: str, call: CallContext) -> Iterator[None]:
    """Count the call that is made in the context, when it has its turn.

    A call that its own run stops is not counted, unless the time of its node is up. A failure of
    ours, as a full store of media, is none of the provider's.
    """
    began = time.perf_counter()
    try:
        yield
    except NodeFailed as failure:
        if (outcome := OUTCOMES.get(failure.code)) is not None:
            _count(provider, outcome, began)
        raise
    except asyncio.CancelledError:
        if call.is_late:
            _count(provider, ProviderOutcome.TIMEOUT, began)
        raise
    _count(provider, ProviderOutcome.OK, began)


def _count(provider: str, outcome: ProviderOutcome, began: float) -> None:
    metrics.PROVIDER_CALLS.labels(provider, outcome.value).inc()
    metrics.PROVIDER_SECONDS.labels(provider).observe(time.perf_counter() - began)
