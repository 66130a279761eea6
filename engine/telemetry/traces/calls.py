"""Spans of the calls that a walk makes while it runs: to models, over HTTP, and of tools.

Calls of a trace that is not sampled are kept with their walk, and sent if its execution fails.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from engine.errors.nodes import NodeFailed
from engine.telemetry.metrics import SPANS_DROPPED
from engine.telemetry.traces.context import CURRENT, TraceContext, new_span_id
from engine.telemetry.traces.span import NS_OF_MS, AttributeValue, Span, SpanKind, make_span
from engine.telemetry.traces.tracing import Tracing, active

MAX_CALLS = 1_000
"""Calls of one walk that have spans."""
MAX_KEPT = 64
"""Calls that the walk of a trace keeps which is not sampled: the last ones, and the last one alone
where the walks of its account keep very many."""
CANCELLED = "cancelled"
TOOL_ERROR = "tool_error"
"""Error of the span of a tool that answered with a failure, by the conventions."""
MAX_TOOL_NAME = 128


class CallSpans:
    """Spans of the calls of one walk."""

    __slots__ = ("_account_id", "_count", "_is_sampled", "_kept", "_tracing", "offset")

    def __init__(
        self, tracing: Tracing, account_id: str, *, is_sampled: bool, offset: int = 0
    ) -> None:
        self._tracing = tracing
        self._account_id = account_id
        self._is_sampled = is_sampled
        self._count = 0
        self.offset = offset
        """Nanoseconds that this host's clock is behind the store's, by which nodes are timed."""
        self._kept: list[Span] = []

    def add(self, span: Span) -> None:
        """Send the span of a call that has ended, or keep it until the end of the walk."""
        if self._is_sampled:
            self._count += 1
            if self._count <= MAX_CALLS:
                self._tracing.add(self._account_id, (span,))
            else:
                SPANS_DROPPED.labels("too_many").inc()
            return
        kept = self._kept
        if kept and (len(kept) >= MAX_KEPT or not self._tracing.kept.take(self._account_id)):
            del kept[0]
        kept.append(span)

    def send_kept(self) -> None:
        """Send the spans that were kept: the execution has failed."""
        if self._kept:
            self._tracing.add(self._account_id, self._kept)
        self.drop_kept()

    def drop_kept(self) -> None:
        """Forget the spans that were kept; call it when the walk ends."""
        kept, self._kept = self._kept, []
        if len(kept) > 1:  # the first one takes no space of others
            self._tracing.kept.give_back(self._account_id, len(kept) - 1)


CALLS: ContextVar[CallSpans | None] = ContextVar("headrace_calls", default=None)
"""Spans of the calls of the present walk; None: its calls have none."""


def begin_calls(account_id: str, trace: TraceContext | None, now_ms: int) -> CallSpans | None:
    """Begin the calls of a walk in its present task; None: they have no spans.

    `trace` is the span of its execution, and `now_ms` the present time of the store's clock.
    """
    tracing = active()
    calls = None
    if tracing is not None and trace is not None:
        offset = now_ms * NS_OF_MS - time.time_ns()
        calls = CallSpans(tracing, account_id, is_sampled=trace.is_sampled, offset=offset)
    if CALLS.get() is not calls:
        CALLS.set(calls)
    return calls


class OpenCall:
    """A call under way, which gets further attributes until its end."""

    __slots__ = ("attributes", "error_type")

    def __init__(self, attributes: dict[str, AttributeValue | None]) -> None:
        self.attributes = attributes
        self.error_type = ""


NO_CALL: AbstractContextManager[OpenCall | None] = nullcontext()


def open_call(
    name: str,
    attributes: dict[str, AttributeValue | None],
    kind: SpanKind = SpanKind.CLIENT,
) -> AbstractContextManager[OpenCall | None]:
    """Return a context in which a call is made, whose span ends with it; None: there is no span.

    Within it the call's span is the present one.
    """
    calls, parent = CALLS.get(), CURRENT.get()
    if calls is None or parent is None:
        return NO_CALL
    return _record(calls, parent, name, attributes, kind)


def open_tool_call(tool: str, host: str) -> AbstractContextManager[OpenCall | None]:
    """Return the context in which a tool of a server is called, see `open_call`.

    The span names the tool, by OpenTelemetry's conventions of generative AI, and has no arguments.
    """
    name = tool[:MAX_TOOL_NAME]
    return open_call(
        f"execute_tool {name}",
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "extension",
            "mcp.method.name": "tools/call",
            "server.address": host,
        },
    )


def is_traced() -> bool:
    """Return whether calls have spans here, so that their attributes are worth making."""
    return CALLS.get() is not None


@contextmanager
def _record(
    calls: CallSpans,
    parent: TraceContext,
    name: str,
    attributes: dict[str, AttributeValue | None],
    kind: SpanKind,
) -> Iterator[OpenCall]:
    context, call = parent.with_span(new_span_id()), OpenCall(attributes)
    began_at = time.time_ns() + calls.offset
    token = CURRENT.set(context)
    try:
        yield call
    except BaseException as error:
        call.error_type = error_type(error)
        raise
    finally:
        CURRENT.reset(token)
        calls.add(
            make_span(
                *(context, parent.span_id, name),
                began_at=began_at,
                ended_at=time.time_ns() + calls.offset,
                attributes=call.attributes,
                kind=kind,
                error_type=call.error_type,
            )
        )


def error_type(error: BaseException) -> str:
    """Return the code of a failure; its message may repeat values and is in no span."""
    if isinstance(error, NodeFailed):
        return error.code
    if isinstance(error, Exception):
        return type(error).__name__
    return CANCELLED
