"""Flow of a stream of events that is resumed after its last event whenever it breaks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from headrace_client.core.deadlines import Deadline
from headrace_client.core.effects import (
    Emit,
    Flow,
    Read,
    Request,
    Response,
    Sleep,
    TransportFailure,
)
from headrace_client.core.executions import execution_path
from headrace_client.core.retries import Attempts
from headrace_client.core.session import JITTER, Session
from headrace_client.core.sse import EventParser, ServerSentEvent
from headrace_client.errors import ConnectionFailedError, ServerError, WaitTimeoutError
from headrace_client.models import RunEvent

EVENT_STREAM = "text/event-stream"
LAST_EVENT = "execution.finished"
SILENCE_SECONDS = 45.0
"""A comment comes each 15 seconds: a longer silence is a broken connection."""
NO_CONTENT = 204
BROKEN = "The stream of events has ended early, time after time"


@dataclass(slots=True)
class Cursor:
    """Place of a reader in the events of an execution; without an id, none was seen yet."""

    execution_id: str = ""
    last_event_id: str = ""
    has_ended: bool = False

    def see(self, event: RunEvent) -> None:
        """Move behind an event."""
        self.execution_id = self.execution_id or str(event.data.get("executionId", ""))
        self.last_event_id = event.id
        self.has_ended = event.event == LAST_EVENT


def read_events(
    session: Session,
    cursor: Cursor,
    deadline: Deadline,
    begin: Request | None = None,
    bucket: str | None = None,
) -> Flow[None]:
    """Emit events until the last one; `begin` begins the run, the same one when it is repeated.

    A stream that breaks before its first event of all is begun again with its idempotency key.
    """
    attempts = Attempts(session.max_retries, JITTER)
    while True:
        request = _resume(cursor) if cursor.execution_id or begin is None else _stream(begin)
        response = yield from session.send(
            request, deadline, bucket=None if cursor.execution_id else bucket
        )
        seen = cursor.last_event_id
        yield from _read(cursor, response, deadline)
        if cursor.has_ended:
            return
        if not deadline.remaining:
            message = "The execution goes on after the timeout of its stream"
            raise WaitTimeoutError(message, execution_id=cursor.execution_id or None)
        if cursor.last_event_id != seen:
            attempts = Attempts(session.max_retries, JITTER)
        is_left = attempts.count(error := ConnectionFailedError(BROKEN))
        if not is_left:
            raise error
        yield Sleep(min(attempts.pause(None, session.random()), deadline.remaining + 0.001))


def _stream(request: Request) -> Request:
    headers: Mapping[str, str] = {**request.headers, "accept": EVENT_STREAM}
    return replace(request, headers=headers, is_stream=True, silence_seconds=SILENCE_SECONDS)


def _resume(cursor: Cursor) -> Request:
    path = f"{execution_path(cursor.execution_id)}/events"
    headers = {"last-event-id": cursor.last_event_id} if cursor.last_event_id else {}
    return _stream(Request(method="GET", path=path, headers=headers))


def _read(cursor: Cursor, response: Response, deadline: Deadline) -> Flow[None]:
    """Emit the events of one connection until it ends, breaks, or the time is over."""
    if response.status == NO_CONTENT:
        cursor.has_ended = True
        return
    if not response.headers.get("content-type", "").startswith(EVENT_STREAM):
        raise ServerError("The answer is no stream of events", status=response.status)
    parser = EventParser()
    while deadline.remaining and not cursor.has_ended:
        try:
            data: bytes = yield Read()
        except TransportFailure:
            return
        if not data:
            return
        for found in parser.feed(data):
            event = _event(found)
            cursor.see(event)
            yield Emit(event)


def _event(found: ServerSentEvent) -> RunEvent:
    return RunEvent(id=found.id, event=found.name, data=json.loads(found.data))
