"""Spans of deliveries: one from the event to the end, and below it one for each attempt.

They name the event, the host of the receiver and its status, and have no body and no path.
"""

from contextvars import ContextVar

from msgspec import Struct

from engine.store.webhooks.deliveries import ClaimedDelivery
from engine.telemetry.traces.calls import CallSpans, begin_calls
from engine.telemetry.traces.context import CURRENT, TraceContext, delivery_span_id
from engine.telemetry.traces.span import NS_OF_MS, make_span
from engine.telemetry.traces.tracing import active
from engine.webhooks.deliveries import DeliveryStatus

GIVEN_UP = "given_up"


class _OpenDelivery(Struct, frozen=True):
    """Delivery of which an attempt is made."""

    parent: TraceContext
    context: TraceContext
    calls: CallSpans


_OPEN: ContextVar[_OpenDelivery | None] = ContextVar("headrace_delivery", default=None)


def begin_attempt(claimed: ClaimedDelivery) -> None:
    """Make the next call of the present task an attempt at the delivery, if it is in a trace."""
    parent = CURRENT.get()
    if active() is None or parent is None:
        return
    context = parent.with_span(delivery_span_id(claimed.id))
    calls = begin_calls(claimed.account_id, context, claimed.now)
    if calls is not None:
        CURRENT.set(context)
        _OPEN.set(_OpenDelivery(parent, context, calls))


def end_attempt(claimed: ClaimedDelivery, status: DeliveryStatus, now: int) -> None:
    """Send the span of a delivery that has ended, sampled or given up.

    `now` is in milliseconds of the store's clock.
    """
    tracing, opened = active(), _OPEN.get()
    if tracing is None or opened is None or status is DeliveryStatus.PENDING:
        return
    if opened.context.span_id != delivery_span_id(claimed.id):
        return  # of the delivery before in this task, whose end could not be recorded
    is_given_up = status is DeliveryStatus.FAILED
    if not (opened.context.is_sampled or is_given_up):
        return
    opened.calls.send_kept()
    began_at = claimed.now if claimed.created_at is None else claimed.created_at
    span = make_span(
        *(opened.context, opened.parent.span_id, f"deliver {claimed.event}"),
        began_at=began_at * NS_OF_MS,
        ended_at=now * NS_OF_MS,
        attributes={
            "headrace.delivery.id": claimed.id,
            "headrace.delivery.event": claimed.event,
            "headrace.delivery.status": status.value,
            "headrace.delivery.attempts": claimed.fence,
            "headrace.execution.id": claimed.execution_id,
            "headrace.account.id": claimed.account_id,
        },
        error_type=GIVEN_UP if is_given_up else "",
    )
    tracing.add(claimed.account_id, (span,))
