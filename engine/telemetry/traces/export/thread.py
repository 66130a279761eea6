"""Thread that sends spans to a collector, so that a slow or absent one holds up nothing else."""

import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Sequence

from engine.telemetry.metrics import SPANS_DROPPED, SPANS_EXPORTED
from engine.telemetry.traces.account_queue import AccountQueue
from engine.telemetry.traces.span import Span

SWITCH_SECONDS = 0.000_5
"""Longest time for which the thread keeps the interpreter while the event loop waits for it."""

SLOW_SECONDS = 0.5
"""A collector that took longer for a batch is not waited for at the end of the process."""

log = logging.getLogger(__name__)
Send = Callable[[Sequence[Span]], bool]
"""Sends spans and returns whether they arrived; it may block for seconds."""


class ExportThread(threading.Thread):
    """Takes spans from the queue in turns of accounts, and sends them in batches.

    Spans that a collector does not take are dropped and counted.
    """

    def __init__(
        self,
        queue: AccountQueue[Callable[[], Sequence[Span]]],
        send: Send,
        stop_sending: Callable[[], None],
        *,
        batch_spans: int,
        delay_seconds: float,
    ) -> None:
        super().__init__(name="span exporter", daemon=True)
        self._queue = queue
        self._send = send
        self._stop_sending = stop_sending
        self._batch_spans = batch_spans
        self._delay_seconds = delay_seconds
        self._wake = threading.Event()
        self._is_closing = False
        self._is_abandoned = False
        self._sending_since = math.inf
        self.has_failed = False
        """Whether the last batch did not arrive."""
        self._is_slow = False

    def run(self) -> None:
        """Send spans until the thread is closed, and those that are left then."""
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        while not self._is_closing:
            self._wake.wait(self._delay_seconds)
            self._wake.clear()
            self._send_waiting()
        self._send_waiting()

    def note_full(self) -> None:
        """Send at once: a whole batch waits."""
        self._wake.set()

    def close(self, seconds: float) -> None:
        """Send waiting spans and end, within a time; at once when the collector is away or slow.

        Call it outside of the event loop.
        """
        self._is_closing = True
        self._wake.set()
        is_slow = self._is_slow or time.monotonic() - self._sending_since > SLOW_SECONDS
        self.join(0 if self.has_failed or is_slow else seconds)
        if self.is_alive():
            self._is_abandoned = True
            self._drop_waiting()
            self._stop_sending()

    def _drop_waiting(self) -> None:
        waiting = len(self._queue)
        self._queue.take(waiting + 1)
        SPANS_DROPPED.labels("process_end").inc(waiting)

    def _send_waiting(self) -> None:
        while making := self._queue.take(self._batch_spans):
            spans = [span for make in making for span in self._make(make)]
            has_arrived = self._try_send(spans)
            if has_arrived:
                SPANS_EXPORTED.inc(len(spans))
            else:
                self._drop(spans, "process_end" if self._is_abandoned else "export_failed")
            self._note(has_failed=not has_arrived)
            if self._is_closing and not has_arrived:
                self._drop_waiting()

    def _try_send(self, spans: Sequence[Span]) -> bool:
        self._sending_since = began = time.monotonic()
        try:
            return self._send(spans)
        except Exception:
            log.exception("spans cannot be encoded")
            return False
        finally:
            self._sending_since = math.inf
            self._is_slow = time.monotonic() - began > SLOW_SECONDS

    def _make(self, make: Callable[[], Sequence[Span]]) -> Sequence[Span]:
        try:
            return make()
        except Exception:
            log.exception("a record cannot be read for its trace")
            SPANS_DROPPED.labels("unread").inc()
            return ()

    def _note(self, *, has_failed: bool) -> None:
        if has_failed and not self.has_failed and not self._is_abandoned:
            log.warning(
                "the collector does not take spans, which are dropped: check that it runs, and "
                "OTEL_EXPORTER_OTLP_ENDPOINT"
            )
        elif self.has_failed and not has_failed:
            log.info("the collector takes spans again")
        self.has_failed = has_failed

    def _drop(self, spans: Sequence[Span], reason: str) -> None:
        if spans:
            SPANS_DROPPED.labels(reason).inc(len(spans))
