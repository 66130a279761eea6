"""Events of an execution in the contract's names."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from engine.errors import ResultGone
from engine.executions.events import (
    BEFORE_ALL,
    ChildRef,
    EventId,
    EventName,
    ExecutionEvent,
    read_events,
)
from engine.executions.node_waits import NodeWait
from engine.graph.plan import NodeName
from engine.store import ReserveMemory, Store
from engine.store.executions.events import NOTHING_MORE, EventPage
from engine.webhooks.wait_entries import wait_entry
from gateway.events.event_streams import HEARTBEAT
from gateway.runs.node_names import node_names
from gateway.runs.previews import Previews
from gateway.runs.types import ExecutionRow

EventData = dict[str, Any] | ExecutionRow


class EventFeed:
    """Reads the events of one execution after a given one, and translates them for callers."""

    heartbeat = HEARTBEAT
    nothing_more = NOTHING_MORE
    check_seconds = 5.0
    """Workers notify; a lost notification costs this much, and a lost connection nothing."""

    def __init__(
        self,
        store: Store,
        account_id: str,
        execution_id: str,
        after: EventId = BEFORE_ALL,
        reserve: ReserveMemory | None = None,
    ) -> None:
        self._store = store
        self._after = after
        self._first = max(1, after.number)
        self._last_sent = after.number
        self._account_id = account_id
        self._execution_id = execution_id
        self._reserve = reserve
        self._names: Sequence[NodeName] = ()
        self._previews = Previews(store, account_id, execution_id, reserve)

    async def read(self, channel: str = "") -> EventPage:
        """Return the next events, as `Events.read`. Raises ExecutionNotFound or Unavailable.

        When Redis has lost entries that were sent, all events on record are sent again.
        """
        page = await self._read(channel)
        if self._last_sent > page.last:
            self._first, self._last_sent, self._after = 1, 0, BEFORE_ALL
            page = await self._read(channel)
        if not self._names and page.entries:
            self._names = await node_names(self._store, self._account_id, self._execution_id, page)
        await self._previews.recompute_outputs(page)
        return page

    async def _read(self, channel: str) -> EventPage:
        return await self._store.events.read(
            self._account_id, self._execution_id, self._first, channel
        )

    def following(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Do nothing: the notifier wakes the stream by its topic."""
        return nullcontext()

    def has_new_events(self, page: EventPage) -> bool:
        """Return whether it has events after the one that the feed began with."""
        return any(read_events(entry, self._after) for entry in page.entries)

    async def translate(
        self, page: EventPage
    ) -> AsyncIterator[tuple[EventId, EventName, EventData]]:
        """Yield its events with their data; events of nodes without names are left out.

        The last event reads the execution again: raises ExecutionNotFound or Unavailable.
        """
        for entry in page.entries:
            for event_id, event in read_events(entry, self._after):
                data = await self._data(event)
                if data is not None:
                    yield event_id, event.name, data
            self._last_sent, self._first = entry.number, entry.number + 1

    async def _data(self, event: ExecutionEvent) -> EventData | None:
        if event.name is EventName.EXECUTION_STARTED:
            return _started_shape(self._execution_id)
        if event.name is EventName.EXECUTION_FINISHED:
            return await self._outcome(event)
        if event.wait is not None:
            return _waiting_shape(self._execution_id, event.wait)
        if event.child is not None:
            return _child_shape(self._execution_id, event, event.child)
        if not self._names:
            return None
        shape = _node_shape(self._execution_id, event, self._names)
        if event.node is not None:
            shape["outputs"] = await self._previews.preview_of(event.node)
        return shape

    async def _outcome(self, event: ExecutionEvent) -> EventData:
        executions, account_id = self._store.executions, self._account_id
        try:
            execution = await executions.head(account_id, self._execution_id, self._reserve)
            return ExecutionRow.from_record(execution)
        except ResultGone as error:
            return _gone_shape(self._execution_id, event, error)


def _started_shape(execution_id: str) -> dict[str, Any]:
    """Return the data of the first event."""
    return {
        "executionId": execution_id,
        "status": "processing",
        "pollUrl": f"/api/executions/{execution_id}",
        "eventsUrl": f"/api/executions/{execution_id}/events",
    }


def _child_shape(execution_id: str, event: ExecutionEvent, child: ChildRef) -> dict[str, Any]:
    """Return the data of the event of a child."""
    return {
        "executionId": execution_id,
        "childExecutionId": child.id,
        "parentId": child.parent_id,
        "nodeId": child.node_id,
        "index": child.index,
        "status": event.status,
    }


def _waiting_shape(execution_id: str, wait: NodeWait) -> dict[str, Any]:
    """Return the data of the event of a wait; `childExecutionId` is there for that of a child."""
    entry = wait_entry(wait, execution_id)
    child_id = entry.pop("executionId", None)
    child = {} if child_id is None else {"childExecutionId": child_id}
    return {"executionId": execution_id, **child, **entry}


def _gone_shape(execution_id: str, event: ExecutionEvent, error: ResultGone) -> dict[str, Any]:
    """Return the data of the last event when the result is no longer available."""
    reason = {"code": error.code, "message": error.message}
    return {"executionId": execution_id, "status": event.status, "result": None, "error": reason}


def _node_shape(
    execution_id: str, event: ExecutionEvent, names: Sequence[NodeName]
) -> dict[str, Any]:
    """Return the data of a node's event, with the node's name in the execution's version."""
    name = names[event.index or 0]
    named = {"executionId": execution_id, "nodeId": name.id, "type": name.type}
    return named | _details(event)


def _details(event: ExecutionEvent) -> dict[str, Any]:
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
