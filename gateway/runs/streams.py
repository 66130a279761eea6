"""Event streams of executions, watched over HTTP until they end."""

from typing import Annotated

from engine.executions.events import (
    BEFORE_ALL,
    EVENT_ID,
    EventId,
    EventName,
    parse_event_id,
)
from engine.store import Principal
from engine.store.executions.events import EventPage, events_topic
from gateway.events import event_streams
from gateway.events.event_streams import EVENT_STREAM, EventStream
from gateway.http.types import Parameter, View, doc
from gateway.openapi.examples import EXECUTION_ID
from gateway.openapi.schema import described, matching
from gateway.runs.event_feed import EventFeed
from gateway.services import GatewayRequest

LAST_EVENT_ID: Parameter = (
    event_streams.LAST_EVENT_ID,
    described(
        matching(EVENT_ID.pattern), "The event that was seen last; those behind it follow.", "3.1"
    ),
)


class EventView(View):
    """A server-sent event."""

    media_type = EVENT_STREAM

    id: Annotated[str, doc("Value for `Last-Event-ID`.")]
    event: Annotated[
        EventName,
        doc("`execution.started` is the first and `execution.finished` the last."),
    ]
    data: Annotated[str, doc("A JSON object in one line.")]


EventView.examples = (
    EventView(
        id="3.1",
        event=EventName.NODE_TEXT,
        data=f'{{"executionId":"{EXECUTION_ID}","nodeId":"text","type":"assistant",'
        '"attempt":1,"item":0,"offset":0,"text":"Hello"}',
    ),
)


def read_last_event_id(request: GatewayRequest) -> EventId:
    """Return the last event that the caller has seen. Raises InvalidQuery."""
    return event_streams.read_last_event_id(request, parse_event_id, BEFORE_ALL)


class ExecutionStream(EventStream[EventPage]):
    """Stream of one execution to one caller; its end does not end the execution."""

    def __init__(
        self,
        request: GatewayRequest,
        principal: Principal,
        execution_id: str,
        *,
        after: EventId,
        seconds: float,
    ) -> None:
        services, account_id = request.services, principal.account.id
        reserve = services.result_memory.for_answer(request.context)
        feed = EventFeed(services.store, account_id, execution_id, after, reserve)
        super().__init__(
            request, principal, feed, topic=events_topic(execution_id), seconds=seconds
        )
