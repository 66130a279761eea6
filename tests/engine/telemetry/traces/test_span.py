"""Finished spans: parents, and times that cannot run backwards."""

import time

from engine.telemetry.traces.context import NO_SPAN, TraceContext
from engine.telemetry.traces.span import make_span

CONTEXT = TraceContext("1" * 32, "2" * 16, True)


def test_a_span_whose_parent_is_no_span_is_the_first_of_its_trace() -> None:
    first = make_span(CONTEXT, NO_SPAN, "first", began_at=1, ended_at=2, attributes={})
    other = make_span(CONTEXT, "3" * 16, "other", began_at=1, ended_at=2, attributes={})

    assert first.parent_id == ""
    assert other.parent_id == "3" * 16
    assert (first.trace_id, first.span_id) == ("1" * 32, "2" * 16)


def test_a_span_ends_now_by_default_and_never_before_it_began() -> None:
    later = time.time_ns() + 10**12

    assert make_span(CONTEXT, "", "x", began_at=1, attributes={}).ended_at > 10**18
    assert make_span(CONTEXT, "", "x", began_at=later, attributes={}).ended_at == later
