"""State of one request beside its ASGI scope."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Scope

from engine.process.account_semaphore import AccountReservation
from engine.store import Principal, SpeculativeAuthorization
from engine.telemetry.traces.context import TraceContext

KEY = "request_context"
"""Key of the context in a request's scope."""


@dataclass(slots=True, eq=False)
class RequestContext:
    """State of one request until its answer is sent.

    What a member holds for the request is given back by the class that its description names.
    """

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Headers added to the answer; see `response_headers`."""
    status: int = 0
    """Status of the answer, 0 until it has begun to be sent."""
    request_id: str = ""
    """Id of the request, which its answer carries."""
    caller: TraceContext | None = None
    """Span of the caller, by its `traceparent`; None without one."""
    trace: TraceContext | None = None
    """Span of the request, or of the caller while tracing is off; None: there is no trace."""
    speculation: SpeculativeAuthorization | None = None
    """Authorization of the caller that is not confirmed yet."""
    principal: Principal | None = None
    """Caller, for the log of requests; None: it is not known."""
    execution_id: str = ""
    """Execution that the request has begun, for the log of requests."""
    account_id: str = ""
    """Account for which the request is counted; `AccountRequests`."""
    body: bytes | None = None
    """Body, kept while the request may be handled again."""
    body_bytes: AccountReservation | None = None
    """Memory reserved for the body; `BodyMemory`."""
    result_bytes: AccountReservation | None = None
    """Memory reserved for the answer; `ResultMemory`."""
    streaming_account_id: str = ""
    """Account of which the request has a place for an event stream; `OpenStreams`."""
    failures_of: str = ""
    """Trigger of an event, for which the failures of an address are counted apart."""
    is_sender_known: bool = False
    """Whether the sender of an event was verified, so that no failure counts any more."""
    take_back_failure: Callable[[], None] | None = None
    """Takes back the failure that was counted in advance; `FailedCalls`."""

    @property
    def trace_header(self) -> str:
        """The trace as records have it; empty: there is none."""
        return "" if self.trace is None else self.trace.header


def context_of(scope: Scope) -> RequestContext:
    """Return the context of a request, a new one at first."""
    context: RequestContext | None = scope.get(KEY)
    if context is None:
        context = scope[KEY] = RequestContext()
    return context
