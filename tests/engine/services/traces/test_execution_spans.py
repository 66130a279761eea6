"""Spans of ended executions: their tree, times, attributes and failures."""

from collections.abc import Sequence
from typing import Any

import pytest

from engine.executions.rows import FailedAttemptRow, NodeRow, StepRows, pack_rows
from engine.graph.plan import NodeName
from engine.services.traces import execution_spans
from engine.services.traces.execution_spans import make_spans
from engine.store.redis.record_packing import pack
from engine.telemetry.traces.context import (
    NO_SPAN,
    attempt_span_id,
    execution_span_id,
    node_span_id,
)
from engine.telemetry.traces.span import NS_OF_MS, Span, SpanKind
from tests.support.history.rows import MONDAY, NAMES, PARENT, ended

TRACE_ID, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACE = f"00-{TRACE_ID}-{CALLER}-01"
ERROR = {"code": "provider_unavailable", "message": "It said canary-message"}
CALLING = (NodeName(id="ask", type="assistant"), NodeName(id="out", type="responseOutput"))


def spans(names: Sequence[NodeName] = NAMES, **fields: Any) -> dict[str, Span]:
    """Return the spans of an execution by name."""
    made, _ = make_spans(ended(**({"trace": TRACE} | fields)), names)
    return {span.name: span for span in made}


def test_an_execution_of_no_trace_has_no_spans() -> None:
    assert make_spans(ended(), NAMES) == ([], 0)


def test_the_execution_is_the_callers_child_and_its_nodes_are_its_own() -> None:
    record = ended(trace=TRACE, request="req-1", batch="b1", item=3, spent=7)
    made, left_out = make_spans(record, NAMES)

    execution, text, out, wait = made
    assert left_out == 0
    assert {span.trace_id for span in made} == {TRACE_ID}
    assert execution.span_id == execution_span_id(record.execution_id)
    assert execution.parent_id == CALLER
    assert execution.name == "invoke_workflow echo"
    assert (execution.began_at, execution.ended_at) == (
        *(MONDAY * NS_OF_MS, (MONDAY + 100) * NS_OF_MS),
    )
    assert execution.attributes["headrace.request.id"] == "req-1"
    assert execution.attributes["headrace.batch.id"] == "b1"
    assert execution.attributes["headrace.credits"] == 7
    assert [text.name, out.name] == ["node textBox", "node responseOutput"]
    assert text.span_id == node_span_id(record.execution_id, 0)
    assert {span.parent_id for span in (text, out, wait)} == {execution.span_id}
    assert text.attributes["headrace.node.id"] == "t"
    assert wait.kind is SpanKind.CONSUMER
    assert wait.ended_at - wait.began_at == NS_OF_MS


def test_a_trace_that_begins_with_the_execution_has_it_as_its_first_span() -> None:
    found = spans(trace=f"00-{TRACE_ID}-{NO_SPAN}-01")

    assert found["invoke_workflow echo"].parent_id == ""


def test_each_attempt_at_a_node_has_a_span_with_its_own_failure() -> None:
    rows = StepRows(
        [NodeRow(0, 2, MONDAY + 50, 20, None, None, 0, 5), NodeRow(1, 1, MONDAY + 71, 1)],
        [FailedAttemptRow(0, 1, MONDAY + 5, 15, ERROR, 3, 30)],
    )
    record = ended(**{"trace": TRACE, "r1.1": pack_rows(rows)})
    made = {span.name: span for span in make_spans(record, CALLING)[0]}

    node, first, second = made["node assistant"], made["attempt 1"], made["attempt 2"]
    assert first.span_id == attempt_span_id(record.execution_id, 0, 1)
    assert second.span_id == attempt_span_id(record.execution_id, 0, 2)
    assert first.parent_id == second.parent_id == node.span_id
    assert first.error_type == "provider_unavailable"
    assert second.error_type == node.error_type == ""
    assert (first.began_at, first.ended_at) == (
        *((MONDAY + 5) * NS_OF_MS, (MONDAY + 20) * NS_OF_MS),
    )
    assert (node.began_at, node.ended_at) == (first.began_at, (MONDAY + 70) * NS_OF_MS)
    assert second.attributes["headrace.attempt.turn_ms"] == 5


def test_a_failed_execution_names_its_node_and_repeats_no_message() -> None:
    error = {
        "code": "EXECUTION_FAILED",
        "message": "canary-message",
        "reason": "canary-reason",
        "nodeId": "ask",
        "nodeType": "assistant",
        "nodeCode": "provider_unavailable",
    }
    rows = StepRows([NodeRow(0, 1, MONDAY + 5, 20, ERROR, pack({"text-out": "canary-output"}))])
    fields = {"status": "failed", "statuses": "fs", "error": pack(error), "r1.1": pack_rows(rows)}
    found = spans(CALLING, **fields)

    execution = found["invoke_workflow echo"]
    assert execution.error_type == "EXECUTION_FAILED"
    assert execution.attributes["headrace.error.node.id"] == "ask"
    assert execution.attributes["headrace.error.node.code"] == "provider_unavailable"
    assert found["node assistant"].error_type == "provider_unavailable"
    assert "node responseOutput" not in found
    assert "canary" not in str(found)


def test_a_child_names_its_parent_and_a_run_of_a_model_its_source() -> None:
    place = {"parent": PARENT, "parent_node_id": "each", "child": 2, "root": PARENT, "depth": 2}
    child = spans(**place)["invoke_workflow echo"]
    model = spans(slug="", version=0, source="api-model", models="gpt")["run api-model"]

    assert child.attributes["headrace.parent.id"] == PARENT
    assert child.attributes["headrace.parent.node.id"] == "each"
    assert child.attributes["headrace.child.index"] == 2
    assert model.attributes["headrace.models"] == "gpt"


def test_an_execution_that_never_began_has_one_span() -> None:
    never = {"status": "cancelled", "statuses": "xx", "started": None, "r1.1": None}

    assert list(spans(**never)) == ["invoke_workflow echo"]


def test_a_run_of_many_nodes_has_a_bound_and_keeps_those_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(execution_spans, "MAX_SPANS", 10)
    rows = [NodeRow(index, 1, MONDAY, 1) for index in range(50)]
    rows[40] = NodeRow(40, 1, MONDAY, 1, ERROR)
    statuses = "c" * 40 + "f" + "c" * 9
    record = ended(**{"trace": TRACE, "statuses": statuses, "r1.1": pack_rows(StepRows(rows))})
    names = [NodeName(id=f"n{index}", type="textBox") for index in range(50)]

    made, left_out = make_spans(record, names)

    assert left_out == 40
    assert made[0].attributes["headrace.spans.left_out"] == 40
    assert made[1].attributes["headrace.node.id"] == "n40"
    assert len(made) == 12
