"""Context of a trace: its id, the present span, and the header that hands both on.

Spans of executions, nodes, attempts and deliveries have ids that are made from those of their
subjects. So nothing has to be passed along, and a second worker makes the same span again.
"""

import hashlib
import os
import re
from collections.abc import Callable
from contextvars import ContextVar

from msgspec import Struct

HEADER = "traceparent"
NO_SPAN = "0" * 16
"""Id of no span; a record has it as the parent when its execution begins the trace."""
SAMPLED = 0x01
"""Flag of a trace that is recorded."""
TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
VERSION = "00"
INVALID_VERSION = "ff"
NO_TRACE = "0" * 32
TRACE_BYTES = 16
SPAN_BYTES = 8


class TraceContext(Struct, frozen=True):
    """Span of a trace. Both ids are lower-case hex of 32 and 16 digits."""

    trace_id: str
    span_id: str
    is_sampled: bool

    @property
    def header(self) -> str:
        """The `traceparent` of calls that the span makes."""
        return f"{VERSION}-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"

    def with_span(self, span_id: str) -> "TraceContext":
        """Return the context of another span of the trace."""
        return TraceContext(self.trace_id, span_id, self.is_sampled)


CURRENT: ContextVar[TraceContext | None] = ContextVar("headrace_trace", default=None)
"""Span under which the present code runs; None: it belongs to no trace."""

Sampler = Callable[[str, bool | None], bool]
"""Decides whether a trace is recorded, by its id and by the decision of the caller; None: there is
no caller, and the trace begins here."""

_sampler: Sampler | None = None
"""Sampler of this process; None: tracing is off, and no trace begins here."""


def set_sampler(sampler: Sampler | None) -> None:
    """Turn tracing of this process on, or off with None."""
    global _sampler
    _sampler = sampler


def new_trace() -> TraceContext | None:
    """Begin a trace, which has no span yet; None while tracing is off."""
    if _sampler is None:
        return None
    trace_id = os.urandom(TRACE_BYTES).hex()
    return TraceContext(trace_id, NO_SPAN, _sampler(trace_id, None))


def open_span(caller: TraceContext | None) -> TraceContext | None:
    """Return a new span below that of a caller, or the first one of a new trace without a caller.

    While tracing is off no span is made: the caller's stands for it, if there is one.
    """
    if _sampler is None:
        return caller
    if caller is None:
        trace = new_trace()
        return trace and trace.with_span(new_span_id())
    trace_id = caller.trace_id
    return TraceContext(trace_id, new_span_id(), _sampler(trace_id, caller.is_sampled))


def parse_traceparent(value: str) -> TraceContext | None:
    """Parse a header of W3C Trace Context; a wrong one is None, and so is a missing one."""
    match = TRACEPARENT.fullmatch(value.strip(" \t"))
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    is_valid = version != INVALID_VERSION and trace_id != NO_TRACE and span_id != NO_SPAN
    if not is_valid or (version == VERSION and rest is not None):
        return None
    return TraceContext(trace_id, span_id, _is_sampled(flags))


def _is_sampled(flags: str) -> bool:
    return bool(int(flags, 16) & SAMPLED)


def recorded_trace(value: str) -> TraceContext | None:
    """Return the context whose header is on record; None for an empty one.

    Its span is the parent of the execution's span, or `NO_SPAN`.
    """
    if not value:
        return None
    _, trace_id, span_id, flags = value.split("-")
    return TraceContext(trace_id, span_id, _is_sampled(flags))


def execution_context(trace: str, execution_id: str) -> TraceContext | None:
    """Return the span of an execution whose record has this `trace`; None without one."""
    parent = recorded_trace(trace)
    return parent and parent.with_span(execution_span_id(execution_id))


def execution_span_id(execution_id: str) -> str:
    """Return the id of the span of an execution."""
    return _span_id(f"execution:{execution_id}")


def wait_span_id(execution_id: str) -> str:
    """Return the id of the span in which an execution waits for a worker."""
    return _span_id(f"wait:{execution_id}")


def node_span_id(execution_id: str, index: int) -> str:
    """Return the id of the span of a node, by the node's index in the plan."""
    return _span_id(f"node:{execution_id}:{index}")


def attempt_span_id(execution_id: str, index: int, number: int) -> str:
    """Return the id of the span of a node's attempt; the first attempt has number 1."""
    return _span_id(f"attempt:{execution_id}:{index}:{number}")


def delivery_span_id(delivery_id: str) -> str:
    """Return the id of the span of a delivery to a webhook."""
    return _span_id(f"delivery:{delivery_id}")


def new_span_id() -> str:
    """Return a random id, for a span that nothing else names."""
    return os.urandom(SPAN_BYTES).hex()


def _span_id(name: str) -> str:
    digest = hashlib.blake2b(name.encode(), digest_size=SPAN_BYTES).hexdigest()
    return digest if digest != NO_SPAN else f"{1:016x}"
