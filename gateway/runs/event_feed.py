"""Events as they are sent: their data in the contract's names, framed as server-sent events."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from engine.errors import ResultGone
from engine.executions.events import BEFORE_ALL, EventId, EventName, ExecutionEvent, read_events
from engine.graph.plan import NodeName
from engine.store import ReserveMemory, Store
from engine.store.executions.events import EventPage
from gateway.http.responses import encode_json
from gateway.runs.node_names import node_names
from gateway.runs.types import ExecutionRow

EventData = dict[str, Any] | ExecutionRow
HEARTBEAT = b":\n\n"
RETRY_MS = 1_000
"""After how long browsers take up a stream again that has ended too early."""
RETRY = f"retry: {RETRY_MS}\n".encode()
"""Stands before the first event: some readers take a block of its own for an event."""


def frame(event_id: EventId, name: EventName, data: EventData) -> bytes:
    """One event on the wire; JSON has no line breaks of its own."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (
        str(event_id).encode(),
        name.value.encode(),
        encode_json(data),
    )


class EventFeed:
    """Reads what happens to one execution behind an event, and says it in the contract's words."""

    def __init__(
        self,
        store: Store,
        account_id: str,
        execution_id: str,
        after: EventId = BEFORE_ALL,
        hold: ReserveMemory | None = None,
    ) -> None:
        self._store = store
        self._after = after
        self._first = max(1, after.number)
        self._seen = after.number
        self._account_id = account_id
        self._execution_id = execution_id
        self._hold = hold
        self._names: Sequence[NodeName] = ()

    async def read(self, channel: str = "") -> EventPage:
        """What comes next, as `Events.read`. Raises ExecutionNotFound or Unavailable.

        When Redis has lost entries that were told, all that is on record is told anew.
        """
        reading = await self._read(channel)
        if self._seen > reading.last:
            self._first, self._seen, self._after = 1, 0, BEFORE_ALL
            reading = await self._read(channel)
        if not self._names and reading.entries:
            self._names = await node_names(self._store, self._account_id, reading)
        return reading

    async def _read(self, channel: str) -> EventPage:
        return await self._store.events.read(
            self._account_id, self._execution_id, self._first, channel
        )

    def has_news(self, reading: EventPage) -> bool:
        """Whether it has events behind the one that all began with."""
        return any(read_events(entry, self._after) for entry in reading.entries)

    async def tell(self, reading: EventPage) -> AsyncIterator[tuple[EventId, EventName, EventData]]:
        """Its events with their data, but for those that there are no words for.

        For the last event it is read again: raises ExecutionNotFound or Unavailable.
        """
        for entry in reading.entries:
            for event_id, event in read_events(entry, self._after):
                data = await self._data(event)
                if data is not None:
                    yield event_id, event.name, data
            self._seen, self._first = entry.number, entry.number + 1

    async def _data(self, event: ExecutionEvent) -> EventData | None:
        if event.name is EventName.EXECUTION_STARTED:
            return _started_shape(self._execution_id)
        if event.name is EventName.EXECUTION_FINISHED:
            return await self._outcome(event)
        return _node_shape(self._execution_id, event, self._names) if self._names else None

    async def _outcome(self, event: ExecutionEvent) -> EventData:
        executions, account_id = self._store.executions, self._account_id
        try:
            execution = await executions.head(account_id, self._execution_id, self._hold)
            return ExecutionRow.of(execution)
        except ResultGone as error:
            return _gone_shape(self._execution_id, event, error)


def _started_shape(execution_id: str) -> dict[str, Any]:
    """The data of the first event."""
    return {
        "executionId": execution_id,
        "status": "processing",
        "pollUrl": f"/api/executions/{execution_id}",
        "eventsUrl": f"/api/executions/{execution_id}/events",
    }


def _gone_shape(execution_id: str, event: ExecutionEvent, error: ResultGone) -> dict[str, Any]:
    """The data of the last event where the result cannot be had any more."""
    reason = {"code": error.code, "message": error.message}
    return {"executionId": execution_id, "status": event.status, "result": None, "error": reason}


def _node_shape(
    execution_id: str, event: ExecutionEvent, names: Sequence[NodeName]
) -> dict[str, Any]:
    """The data of an event of a node, which is named as the version it began with names it."""
    name = names[event.index or 0]
    named = {"executionId": execution_id, "nodeId": name.id, "type": name.type}
    return named | _particulars(event)


def _particulars(event: ExecutionEvent) -> dict[str, Any]:
    match event.name:
        case EventName.NODE_STARTED:
            return {"attempt": event.attempt}
        case EventName.NODE_RETRYING:
            return {"attempt": event.attempt, "delayMs": event.pause_ms}
        case EventName.NODE_PROGRESS:
            return {"attempt": event.attempt, "item": event.item, "progress": event.progress}
        case EventName.NODE_TEXT:
            call = {"attempt": event.attempt, "item": event.item}
            return {**call, "offset": event.offset, "text": event.text}
    node = event.node
    if node is None:
        raise AssertionError("a node that has finished comes with its record")
    return {
        "status": node.status,
        "attempts": node.attempts,
        "durationMs": node.duration_ms,
        "creditsCost": node.credits_cost,
        "error": node.error,
    }
