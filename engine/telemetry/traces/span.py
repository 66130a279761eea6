"""A finished span, as the parts of Headrace make it: no library of telemetry is needed for it."""

import time
from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from engine.telemetry.traces.context import NO_SPAN, TraceContext

AttributeValue = str | int | float | bool
Attributes = Mapping[str, AttributeValue | None]
"""Attributes by name; one whose value is None is left out."""
NS_OF_MS = 1_000_000


class SpanKind(Enum):
    """Role of a span between processes, as OpenTelemetry defines it."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2
    CONSUMER = 4


class Span(Struct, frozen=True, kw_only=True):
    """Finished span of a trace. Times are nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_id: str
    """Empty for the first span of a trace."""
    name: str
    kind: SpanKind = SpanKind.INTERNAL
    began_at: int
    ended_at: int
    attributes: Attributes
    error_type: str = ""
    """Code of the failure; empty: the span is none of an error."""


def make_span(
    context: TraceContext,
    parent_id: str,
    name: str,
    *,
    began_at: int,
    ended_at: int | None = None,
    attributes: Attributes,
    kind: SpanKind = SpanKind.INTERNAL,
    error_type: str = "",
) -> Span:
    """Return the span of a context; it ends now unless a time is given."""
    return Span(
        trace_id=context.trace_id,
        span_id=context.span_id,
        parent_id="" if parent_id == NO_SPAN else parent_id,
        name=name,
        kind=kind,
        began_at=began_at,
        ended_at=max(began_at, time.time_ns() if ended_at is None else ended_at),
        attributes=attributes,
        error_type=error_type,
    )
