"""Spans of the archiving of executions, below those of the executions themselves."""

from collections.abc import Sequence

from engine.store.archive.ended_executions import EndedRecord
from engine.telemetry.traces.context import execution_context, new_span_id
from engine.telemetry.traces.span import make_span
from engine.telemetry.traces.tracing import Tracing


def send_spans(tracing: Tracing, records: Sequence[EndedRecord], began_at: int) -> None:
    """Send a span for each record whose trace is sampled; they were archived together.

    `began_at` is in nanoseconds since the epoch; the end is now.
    """
    for record in records:
        trace = record.fields.get("trace", b"").decode()
        execution = execution_context(trace, record.execution_id)
        if execution is None or not execution.is_sampled:
            continue
        span = make_span(
            *(execution.with_span(new_span_id()), execution.span_id, "archive"),
            began_at=began_at,
            attributes={
                "headrace.execution.id": record.execution_id,
                "headrace.archive.batch_size": len(records),
            },
        )
        tracing.add(record.account_id, (span,))
