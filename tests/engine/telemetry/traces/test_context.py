"""Contexts of traces: headers that are read and written, and ids of spans that nobody passes on."""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ids.executions import new_execution_id
from engine.telemetry.traces import context
from engine.telemetry.traces.context import TraceContext, parse_traceparent

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
HEX = "0123456789abcdef"


@contextlib.contextmanager
def sampling(decisions: Mapping[bool | None, bool]) -> Iterator[list[tuple[str, bool | None]]]:
    """Turn tracing on; the sampler decides by its caller, and notes its questions."""
    asked: list[tuple[str, bool | None]] = []

    def sampler(trace_id: str, is_caller_sampled: bool | None) -> bool:
        asked.append((trace_id, is_caller_sampled))
        return decisions[is_caller_sampled]

    context.set_sampler(sampler)
    try:
        yield asked
    finally:
        context.set_sampler(None)


def hex_of(size: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=size, max_size=size)


@pytest.mark.parametrize(
    ("header", "is_sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f" \t00-{TRACE}-{SPAN}-01 ", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-of-a-later-version", True),
    ],
)
def test_a_header_names_trace_and_span(header: str, is_sampled: bool) -> None:
    assert parse_traceparent(header) == TraceContext(TRACE, SPAN, is_sampled)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        "nonsense",
        TRACE,
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN.upper()}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        "٠٠-" + f"{TRACE}-{SPAN}-01",
    ],
)
def test_a_wrong_header_is_no_trace(header: str) -> None:
    assert parse_traceparent(header) is None


@given(st.text())
def test_any_text_is_a_trace_or_none(header: str) -> None:
    parse_traceparent(header)


@given(hex_of(32), hex_of(16), st.booleans())
def test_a_header_that_is_written_is_read_again(trace: str, span: str, is_sampled: bool) -> None:
    written = TraceContext(trace, span, is_sampled)
    is_valid = trace != "0" * 32 and span != "0" * 16
    assert parse_traceparent(written.header) == (written if is_valid else None)
    assert context.recorded_trace(written.header) == written


def test_a_record_may_have_a_trace_without_a_parent() -> None:
    root = TraceContext(TRACE, context.NO_SPAN, True)
    assert context.recorded_trace(root.header) == root
    assert context.recorded_trace("") is None
    assert parse_traceparent(root.header) is None


def test_the_span_of_an_execution_is_of_the_recorded_trace() -> None:
    span = context.execution_context(f"00-{TRACE}-{SPAN}-01", "e1")
    assert span == TraceContext(TRACE, context.execution_span_id("e1"), True)
    assert context.execution_context("", "e1") is None


def test_ids_of_spans_depend_on_their_names_alone() -> None:
    execution_id = new_execution_id()
    ids = {
        context.execution_span_id(execution_id),
        context.delivery_span_id(execution_id),
        *(context.node_span_id(execution_id, index) for index in range(20)),
        *(context.attempt_span_id(execution_id, i, n) for i in range(20) for n in range(1, 5)),
    }
    assert len(ids) == 2 + 20 + 80
    assert all(re.fullmatch(r"[0-9a-f]{16}", span) for span in ids)
    assert context.node_span_id(execution_id, 3) == context.node_span_id(execution_id, 3)
    assert (
        context.execution_span_id("e1")
        == hashlib.blake2b(b"execution:e1", digest_size=8).hexdigest()
    )


def test_no_span_has_the_id_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Zero:
        def hexdigest(self) -> str:
            return "0" * 16

    monkeypatch.setattr("engine.telemetry.traces.context.hashlib.blake2b", lambda *_, **__: Zero())
    assert context.execution_span_id("e1") == "0" * 15 + "1"


def test_a_trace_begins_while_tracing_is_on_alone() -> None:
    assert context.new_trace() is None
    with sampling({None: False}) as asked:
        trace = context.new_trace()
    assert trace is not None
    assert asked == [(trace.trace_id, None)]
    assert not trace.is_sampled
    assert trace.span_id == context.NO_SPAN
    assert context.new_trace() is None


def test_a_request_has_a_span_of_its_own_while_tracing_is_on() -> None:
    caller = TraceContext(TRACE, SPAN, True)
    assert context.open_span(caller) is caller
    assert context.open_span(None) is None
    with sampling({True: False, None: True}) as asked:
        span, first = context.open_span(caller), context.open_span(None)
    assert span is not None
    assert first is not None
    assert asked == [(TRACE, True), (first.trace_id, None)]
    assert span.trace_id == TRACE
    assert span.span_id != SPAN
    assert [span.is_sampled, first.is_sampled] == [False, True]
    assert first.span_id != context.NO_SPAN
    assert first.trace_id != TRACE


def test_a_random_span_has_an_id_of_its_own() -> None:
    assert context.new_span_id() != context.new_span_id()
    assert re.fullmatch(r"[0-9a-f]{16}", context.new_span_id())


def test_code_outside_a_trace_has_no_span() -> None:
    assert context.CURRENT.get() is None
