"""The exporter's thread: batches, failures, and an end that a collector cannot hold up."""

import threading
import time
from collections.abc import Sequence

from engine.telemetry.metrics import SPANS_DROPPED, SPANS_EXPORTED
from engine.telemetry.traces.account_queue import AccountQueue
from engine.telemetry.traces.context import TraceContext
from engine.telemetry.traces.export.thread import ExportThread, Send
from engine.telemetry.traces.span import Span, make_span
from engine.telemetry.traces.tracing import MakeSpans

SPAN = make_span(
    TraceContext("1" * 32, "2" * 16, True), "", "x", began_at=1, ended_at=2, attributes={}
)


def start(queue: AccountQueue[MakeSpans], send: Send, delay_seconds: float = 0.01) -> ExportThread:
    thread = ExportThread(queue, send, lambda: None, batch_spans=10, delay_seconds=delay_seconds)
    thread.start()
    return thread


def filled(count: int) -> AccountQueue[MakeSpans]:
    queue: AccountQueue[MakeSpans] = AccountQueue(10_000)
    for _ in range(count):
        queue.add("account", lambda: [SPAN])
    return queue


def dropped(reason: str) -> float:
    return float(SPANS_DROPPED.labels(reason)._value.get())


def test_spans_go_in_batches_and_are_counted() -> None:
    before, sizes = SPANS_EXPORTED._value.get(), list[int]()
    thread = start(filled(25), lambda spans: not sizes.append(len(spans)))

    thread.close(10)

    assert sizes == [10, 10, 5]
    assert SPANS_EXPORTED._value.get() - before == 25
    assert not thread.is_alive()


def test_a_full_batch_does_not_wait_for_the_delay() -> None:
    arrived = threading.Event()
    queue: AccountQueue[MakeSpans] = AccountQueue(100)
    thread = start(queue, lambda spans: not arrived.set(), delay_seconds=60)

    queue.add("account", lambda: [SPAN])
    thread.note_full()

    assert arrived.wait(10)
    thread.close(10)


def test_spans_that_a_collector_refuses_are_dropped_and_counted() -> None:
    before = dropped("export_failed")
    refused = threading.Event()
    thread = start(filled(3), lambda spans: bool(refused.set()))

    assert refused.wait(10)
    thread.close(10)

    assert dropped("export_failed") - before == 3


def test_an_error_of_the_library_ends_nothing() -> None:
    arrived: list[Sequence[Span]] = []

    def send(spans: Sequence[Span]) -> bool:
        arrived.append(spans)
        if len(arrived) == 1:
            raise ValueError("no such type")
        return True

    queue = filled(1)
    thread = start(queue, send)
    deadline = time.monotonic() + 10
    while not arrived and time.monotonic() < deadline:
        time.sleep(0.01)
    queue.add("account", lambda: [SPAN])
    thread.note_full()
    thread.join(0.2)
    thread.close(10)

    assert len(arrived) == 2


def test_a_collector_that_does_not_answer_holds_up_the_end_for_a_bounded_time() -> None:
    release, has_begun = threading.Event(), threading.Event()
    before = dropped("process_end")

    def send(spans: Sequence[Span]) -> bool:
        has_begun.set()
        return release.wait(30)

    thread = start(filled(25), send)
    assert has_begun.wait(10)
    began = time.monotonic()
    thread.close(0.1)

    assert time.monotonic() - began < 10
    assert dropped("process_end") - before == 15  # ten are still on their way
    release.set()
    thread.join(10)


def test_a_record_that_cannot_be_read_holds_up_no_other() -> None:
    before, arrived = dropped("unread"), list[Sequence[Span]]()

    def make() -> Sequence[Span]:
        raise ValueError("no such status")

    queue = filled(0)
    queue.add("other", make)
    queue.add("account", lambda: [SPAN])
    start(queue, lambda spans: not arrived.append(spans)).close(10)

    assert arrived == [[SPAN]]
    assert dropped("unread") - before == 1
