"""Tracing of a process with a store: its own spans, and the traces of executions that end in it."""

import contextlib
from collections.abc import AsyncIterator

from engine.services.background_tasks import background
from engine.services.traces.ended_traces import EndedTraces
from engine.store import Store
from engine.telemetry.traces.tracing import Tracing, open_tracing


@contextlib.asynccontextmanager
async def trace_process(store: Store, part: str, instance_id: str) -> AsyncIterator[Tracing | None]:
    """Trace this process for as long as the context lasts, as `open_tracing` does."""
    async with open_tracing(part, instance_id) as tracing:
        if tracing is None:
            yield None
            return
        traces = EndedTraces(store, tracing)
        store.ends.subscribe(traces.note_end, only_sampled=True)
        try:
            async with background("traces", traces.run):
                yield tracing
        finally:
            await traces.drain()
