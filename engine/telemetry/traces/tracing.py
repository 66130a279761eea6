"""Tracing of one process: its sampler, and the queue of spans that wait for the exporter."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from importlib import import_module

from engine.telemetry.metrics import SPANS_DROPPED, VERSION
from engine.telemetry.traces import context
from engine.telemetry.traces.account_queue import AccountQueue, AccountSpace
from engine.telemetry.traces.environment import TraceEnvironment
from engine.telemetry.traces.sampling import Sampling
from engine.telemetry.traces.span import Span

EXPORT = "engine.telemetry.traces.export"
"""Folder that needs the extra; it is imported where tracing is on alone."""
KEPT_SPANS = 65_536
"""Spans, beyond the last one of each, that walks keep of traces that are not sampled: 40 MB."""
CLOSE_SECONDS = 1.0
"""Longest time for which an ending process sends spans that wait."""

log = logging.getLogger(__name__)
MakeSpans = Callable[[], Sequence[Span]]


class Tracing:
    """Takes finished spans; never blocks, and drops those for which there is no space."""

    def __init__(self, sampling: Sampling, environment: TraceEnvironment) -> None:
        self.sampling = sampling
        self._batch_spans = environment.batch_spans
        self.queue: AccountQueue[MakeSpans] = AccountQueue(environment.queue_spans)
        self.kept = AccountSpace(KEPT_SPANS)
        """Space for spans that walks keep."""
        self.note_full: Callable[[], None] = lambda: None
        """Called when a whole batch waits."""

    def add(self, account_id: str, spans: Sequence[Span]) -> None:
        """Send spans of an account in the background, all of them or, without space, none."""
        self.add_later(account_id, lambda: spans, len(spans))

    def add_later(self, account_id: str, make: MakeSpans, count: int, weight: int = 0) -> None:
        """Send about `count` spans, which the exporter's thread makes.

        `weight` is the size of their source, where that is larger than the count.
        """
        if not self.queue.add(account_id, make, max(count, weight)):
            SPANS_DROPPED.labels("queue_full").inc(count)
        if len(self.queue) >= self._batch_spans:
            self.note_full()


_active: Tracing | None = None


def active() -> Tracing | None:
    """Return the tracing of this process; None: it is off."""
    return _active


def use(tracing: Tracing | None) -> None:
    """Turn the tracing of this process on, or off with None."""
    global _active
    _active = tracing
    context.set_sampler(None if tracing is None else tracing.sampling.samples)


@contextlib.asynccontextmanager
async def open_tracing(
    part: str, instance_id: str, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[Tracing | None]:
    """Trace this process for as long as the context lasts; None where tracing is off.

    `part` is `gateway`, `worker` or `archiver`. Without the extra, one line of the log says how to
    install it.
    """
    environment = TraceEnvironment.read(environ)
    if environment.fault:
        log.warning(environment.fault)
    if not environment.sends_spans:
        yield None
        return
    tracing = Tracing(Sampling.from_environ(environ), environment)
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it repeats itself per batch
    send, stop = import_module(f"{EXPORT}.otlp").make_sender(
        environment.protocol, part, instance_id, VERSION
    )
    thread = import_module(f"{EXPORT}.thread").ExportThread(
        *(tracing.queue, send, stop),
        batch_spans=environment.batch_spans,
        delay_seconds=environment.delay_ms / 1000,
    )
    tracing.note_full = thread.note_full
    thread.start()
    use(tracing)
    try:
        yield tracing
    finally:
        use(None)
        await asyncio.to_thread(thread.close, CLOSE_SECONDS)
