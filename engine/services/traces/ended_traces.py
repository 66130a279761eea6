"""Traces of executions that have ended here: their records are read, and their spans are sent.

An end is noted without a wait, and the rest is done in the background.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from engine.errors import EngineError
from engine.graph.plan import NodeName
from engine.services.traces.execution_spans import FIELDS, make_spans
from engine.store import Store
from engine.store.archive.ended_executions import EndedRecord
from engine.store.archive.node_names import NodeNames
from engine.store.archive.trace_records import read_trace_record
from engine.store.executions.ended import EndedExecution
from engine.telemetry.metrics import SPANS_DROPPED
from engine.telemetry.traces.account_queue import AccountQueue
from engine.telemetry.traces.span import Span
from engine.telemetry.traces.tracing import Tracing

MAX_WAITING = 4_096
"""Ended executions whose records wait to be read."""
AT_ONCE = 16
"""Records that are read at a time."""
READ_SECONDS = 5.0
"""Longest time for which the records of one turn are read."""
DRAIN_SECONDS = 0.5
"""Longest time for which an ending process goes on reading."""

WEIGHED_BYTES = 1_024
"""Bytes of a record that weigh as much as a span while it waits."""

log = logging.getLogger(__name__)


class EndedTrace(NamedTuple):
    """Ended execution that belongs to a trace which is recorded."""

    account_id: str
    execution_id: str


class EndedTraces:
    """Queue of ended executions in turns by account, and the task that makes their spans."""

    def __init__(self, store: Store, tracing: Tracing) -> None:
        self._store = store
        self._tracing = tracing
        self._names = NodeNames(store.workflows)
        self._waiting: AccountQueue[EndedTrace] = AccountQueue(MAX_WAITING)
        self._wake = asyncio.Event()

    def note_end(self, ended: EndedExecution) -> None:
        """Send the trace of an execution in the background; one of no trace has none."""
        if not ended.trace:
            return
        trace = EndedTrace(ended.account_id, ended.execution_id)
        if self._waiting.add(ended.account_id, trace):
            self._wake.set()
        else:
            SPANS_DROPPED.labels("queue_full").inc()

    async def run(self) -> None:
        """Make the spans of ended executions until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._read_waiting()

    async def drain(self) -> None:
        """Make the spans of the last executions, within a short time."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._read_waiting()
        except TimeoutError:
            SPANS_DROPPED.labels("process_end").inc(len(self._waiting))

    async def _read_waiting(self) -> None:
        while ended := self._waiting.take(AT_ONCE):
            await asyncio.gather(*map(self._send, ended))

    async def _send(self, ended: EndedTrace) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                record = await read_trace_record(self._store.client, *ended, FIELDS)
                if record is None:
                    SPANS_DROPPED.labels("unread").inc()
                    return
                names = await self._names.of_execution(record)
        except asyncio.CancelledError:
            self._waiting.add(ended.account_id, ended)  # `drain` reads it, or counts it
            raise
        except (EngineError, TimeoutError):
            SPANS_DROPPED.labels("unread").inc()
            return
        except Exception:
            SPANS_DROPPED.labels("unread").inc()
            log.exception("the names of an execution's nodes cannot be read for its trace")
            return
        count = len(record.fields.get("statuses", b"")) + 2
        weight = sum(map(len, record.fields.values())) // WEIGHED_BYTES
        self._tracing.add_later(
            record.account_id, partial(_make_spans, record, names), count, weight
        )


def _make_spans(record: EndedRecord, names: Sequence[NodeName]) -> Sequence[Span]:
    spans, left_out = make_spans(record, names)
    if left_out:
        SPANS_DROPPED.labels("too_many").inc(left_out)
    return spans
