"""Code that runs in a trace, and the spans that it makes, without a collector."""

import contextlib
from collections.abc import Iterator

from engine.telemetry.traces import tracing
from engine.telemetry.traces.calls import CALLS, CallSpans, begin_calls
from engine.telemetry.traces.context import CURRENT, TraceContext
from engine.telemetry.traces.environment import TraceEnvironment
from engine.telemetry.traces.sampling import Sampling
from engine.telemetry.traces.span import Span
from engine.telemetry.traces.tracing import Tracing

TRACE_ID, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ATTEMPT = TraceContext(TRACE_ID, "b7ad6b7169203331", True)
"""Span under which the code of a test runs."""
NOW = 1_764_547_200_000
"""Time of the store in milliseconds when the walk begins."""


@contextlib.contextmanager
def tracing_on(sampling: Sampling | None = None) -> Iterator[Tracing]:
    """Trace this process; spans stay in the queue."""
    made = Tracing(sampling or Sampling(), TraceEnvironment(is_on=True))
    tracing.use(made)
    try:
        yield made
    finally:
        tracing.use(None)


@contextlib.contextmanager
def traced_walk(*, is_sampled: bool = True) -> Iterator[tuple[Tracing, CallSpans]]:
    """Run the code of a walk whose trace is sampled or not."""
    parent = TraceContext(ATTEMPT.trace_id, ATTEMPT.span_id, is_sampled)
    with tracing_on() as made:
        tokens = CALLS.set(None), CURRENT.set(parent)
        calls = begin_calls("account", parent, NOW)
        assert calls is not None
        try:
            yield made, calls
        finally:
            CALLS.reset(tokens[0])
            CURRENT.reset(tokens[1])


def take_spans(made: Tracing) -> list[Span]:
    """Return the spans that wait to be sent, the first to end first."""
    return [span for make in made.queue.take(100_000) for span in make()]
