"""Progress of a run: a notification for each start and end of a node."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from mcp.server.context import ServerRequestContext

from engine.errors import EngineError
from engine.executions.events import EventName, ExecutionEvent, read_events
from engine.graph.plan import NodeName
from engine.store.executions.events import EventPage, events_topic
from gateway.mcp.messages import McpExchange
from gateway.runs.node_names import node_names

CHECK_SECONDS = 5.0
"""Interval of reads without a notification by a worker."""
LAST_SECONDS = 1.0
"""Time for the last notifications of a run that has ended."""
TOLD = frozenset({EventName.NODE_STARTED, EventName.NODE_FINISHED})


class ProgressReporter:
    """Reads the events of one run, and tells its caller of them."""

    def __init__(
        self, context: ServerRequestContext[Any, Any], exchange: McpExchange, execution_id: str
    ) -> None:
        self._session = context.session
        self._services = exchange.request.services
        self._account_id = exchange.principal.account.id
        self._execution_id = execution_id
        self._names: Sequence[NodeName] = ()
        self._first = 1
        self._told: set[tuple[EventName, int]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Report while the context lasts; what has happened by then is told before its end."""
        task = asyncio.create_task(self._report())
        try:
            yield
            await asyncio.wait([task], timeout=LAST_SECONDS)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _report(self) -> None:
        notifier = self._services.notifier
        with (
            contextlib.suppress(EngineError),  # the result tells what is wrong
            notifier.expecting(events_topic(self._execution_id)) as waiter,
        ):
            waiter.wake()
            while True:
                page = await waiter.wait(self._read, CHECK_SECONDS, CHECK_SECONDS)
                if page is None:
                    continue
                for message in self._messages(page):
                    total = 2.0 * len(self._names)
                    await self._session.report_progress(len(self._told), total, message)
                if page.is_all:
                    return
                if page.is_full:
                    waiter.wake()

    async def _read(self) -> EventPage | None:
        store, ids = self._services.store, (self._account_id, self._execution_id)
        page = await store.events.read(*ids, self._first, self._services.notifier.channel)
        if page.entries and not self._names:
            self._names = await node_names(store, *ids, page)
        return page if page.entries or page.is_all else None

    def _messages(self, page: EventPage) -> Iterator[str]:
        """Yield a sentence for each node that starts or ends, once for each."""
        for entry in page.entries:
            self._first = entry.number + 1
            for _, event in read_events(entry):
                if event.name not in TOLD or event.index is None:
                    continue
                told = (event.name, event.index)
                if event.index < len(self._names) and told not in self._told:
                    self._told.add(told)
                    yield _sentence(event, self._names[event.index])


def _sentence(event: ExecutionEvent, name: NodeName) -> str:
    if event.node is None:
        return f"Node '{name.id}' ({name.type}) has started"
    return f"Node '{name.id}' ({name.type}) has ended: {event.node.status}"
