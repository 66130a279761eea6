"""Traces of a real stack: whole trees for each kind of run, sampling, and a failing collector."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engine.telemetry.traces.context import execution_span_id
from tests.support.acceptance.running_stack import until
from tests.support.observability.spans import Span
from tests.support.observability.stack import ObservedStack, observed_stack

pytestmark = pytest.mark.slow

CALLER = "00f067aa0ba902b7"
KINDS = (
    *("greet", "compute", "call", "retry", "model", "fail"),
    *("child", "each", "agent", "story", "stream"),
)
OTHERS = ("delay", "approval", "webhook", "batch", "hook", "occurrence", "cancel")
DRAIN_SECONDS = 30.0
"""Time that a drain may take on a busy machine; the collector takes longer to answer."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedStack]:
    folder = tmp_path_factory.mktemp("traced")
    with observed_stack(folder, traces="1", scrapes=False) as running:
        yield running


def trace_of(number: int) -> str:
    return f"{number:08x}" + "1" * 24


def orphans(spans: Sequence[Span]) -> list[str]:
    """Return the names of spans whose parents are neither in the trace nor the caller's."""
    known = {CALLER, *(span.span_id for span in spans)}
    return [span.name for span in spans if span.parent_id not in known]


@pytest.mark.parametrize("kind", [*KINDS, *OTHERS])
def test_a_run_of_each_kind_is_one_whole_tree_below_its_caller(
    stack: ObservedStack, kind: str
) -> None:
    trace_id = trace_of([*KINDS, *OTHERS].index(kind) + 1)

    stack.make(kind, traceparent=f"00-{trace_id}-{CALLER}-01")

    def is_whole(spans: list[Span]) -> bool:
        has_request = any(span.parent_id == CALLER for span in spans)
        runs = [span for span in spans if span.name.startswith("invoke_workflow")]
        return has_request and bool(runs) and not orphans(spans)

    spans = stack.collector.await_trace(trace_id, is_whole)
    counts = Counter(span.span_id for span in spans)
    assert [name for name, count in counts.items() if count > 1] == [], "a span came twice"
    assert {span.resource["headrace.part"] for span in spans} >= {"gateway", "worker"}


def test_the_trace_of_an_agent_has_its_turns_and_its_tools(stack: ObservedStack) -> None:
    made = stack.make("agent")

    def has_all(spans: list[Span]) -> bool:
        parts = Counter(span.name.split(" ")[0] for span in spans)
        return parts["chat"] == 2 and parts["invoke_workflow"] == 4

    spans = stack.collector.await_trace(made["traceId"], has_all)
    [node] = [span for span in spans if span.name == "node agent"]
    chats = [span.attributes for span in spans if span.name.startswith("chat ")]
    runs = Counter(span.name for span in spans if span.name.startswith("invoke_workflow"))
    assert node.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert sorted(each["headrace.tool_calls"] for each in chats) == [0, 1]
    assert runs == {"invoke_workflow agent": 3, "invoke_workflow greet": 1}


def test_the_trace_of_a_story_names_its_parts(stack: ObservedStack) -> None:
    made = stack.make("story")

    def has_all(spans: list[Span]) -> bool:
        parts = Counter(span.name.split(" ")[0] for span in spans)
        return parts["deliver"] >= 1 and parts["archive"] == 2 and parts["chat"] == 1

    spans = stack.collector.await_trace(made["traceId"], has_all)
    by_id = {span.span_id: span for span in spans}
    [chat] = [span for span in spans if span.name.startswith("chat ")]
    way: list[str] = []
    parent: Span | None = chat
    while parent is not None:
        way.append(parent.name.split(" ")[0])
        parent = by_id.get(parent.parent_id)
    assert way == [
        *("chat", "attempt", "node", "invoke_workflow", "node", "invoke_workflow", "POST"),
    ]
    assert by_id[execution_span_id(made["executionId"])].name == "invoke_workflow story"


def test_of_traces_that_callers_do_not_record_failures_alone_are_sent(
    stack: ObservedStack,
) -> None:
    quiet, failed = trace_of(100), trace_of(101)
    for _ in range(3):
        stack.make("model", traceparent=f"00-{quiet}-{CALLER}-00")
    stack.make("fail", traceparent=f"00-{failed}-{CALLER}-00")

    def has_call(spans: list[Span]) -> bool:
        return {"GET"} <= {span.name for span in spans} and not orphans(spans)

    spans = stack.collector.await_trace(failed, has_call)
    assert all(span.is_error for span in spans if span.name in ("GET", "invoke_workflow fail"))
    assert stack.collector.trace(quiet) == []


def test_nothing_waits_for_a_collector_that_is_slow_or_refuses(stack: ObservedStack) -> None:
    stack.collector.delay_seconds = 60
    try:
        times = []
        for _ in range(20):
            began = time.monotonic()
            assert stack.make("greet")["status"] == "completed"
            times.append(time.monotonic() - began)
        worker = stack.workers[-1]
        began = time.monotonic()
        worker.process.terminate()
        assert worker.process.wait(DRAIN_SECONDS) == 0
        print(
            f"runs {min(times):.3f} to {max(times):.3f} s, drain {time.monotonic() - began:.1f} s"
        )
    finally:
        stack.collector.delay_seconds = 0
    stack.collector.status = 503
    assert stack.make("greet")["status"] == "completed"
    stack.collector.status = 200
    made = stack.make("greet")
    stack.collector.await_trace(made["traceId"], timeout=120)


def test_a_rate_records_a_part_of_the_traces(tmp_path: Path) -> None:
    sampler = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.3"}
    with observed_stack(tmp_path, traces="1", scrapes=False, gateways=1, workers=1, **sampler) as s:
        ids = [s.make("greet")["traceId"] for _ in range(60)]
        failed = [s.make("fail")["traceId"] for _ in range(5)]
        until(
            lambda: [each for each in failed if not s.collector.trace(each)], lambda left: not left
        )
        sampled = [each for each in ids if s.collector.trace(each)]

        assert 5 < len(sampled) < 40, len(sampled)
        for each in sampled:
            s.collector.await_trace(each, lambda spans: len(spans) == 6 and not _roots(spans)[1:])


def _roots(spans: Sequence[Span]) -> list[Span]:
    return [span for span in spans if not span.parent_id]
