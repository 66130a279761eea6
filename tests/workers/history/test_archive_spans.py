"""Spans of the archiving of executions."""

from engine.telemetry.traces.context import execution_span_id
from tests.support.history.rows import ended
from tests.support.observability.traced import CALLER, TRACE_ID, take_spans, tracing_on
from workers.history.archive_spans import send_spans


def test_executions_of_sampled_traces_have_a_span_below_their_own() -> None:
    sampled = ended(trace=f"00-{TRACE_ID}-{CALLER}-01")
    records = [sampled, ended(trace=f"00-{TRACE_ID}-{CALLER}-00"), ended()]

    with tracing_on() as made:
        send_spans(made, records, 1)
    [span] = take_spans(made)

    assert (span.name, span.trace_id) == ("archive", TRACE_ID)
    assert span.parent_id == execution_span_id(sampled.execution_id)
    assert span.attributes["headrace.archive.batch_size"] == 3
