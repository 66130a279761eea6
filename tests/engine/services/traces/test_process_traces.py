"""Tracing of a process, from an end of an execution to a real collector over HTTP."""

import time
from collections.abc import Iterator

import pytest

from engine.services.traces.process_traces import trace_process
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.telemetry.traces.context import execution_span_id
from tests.support.observability.collector import Collector, running_collector
from tests.support.observability.traced import CALLER, TRACE_ID
from tests.support.store.ended import Ending


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with running_collector() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


def header(flags: str) -> str:
    return f"00-{TRACE_ID}-{CALLER}-{flags}"


async def test_ends_reach_the_collector_with_the_process_that_made_them(
    store: Store, account: Account, collector: Collector
) -> None:
    async with trace_process(store, "worker", "worker-1"):
        ending = await Ending.of(store, account)
        reference = await ending.accept(trace=header("01"))
        await ending.walk(reference)

    found = collector.trace(TRACE_ID)
    execution_id = keyspace.parse_reference(reference)[1]
    [execution] = [span for span in found if span.parent_id == CALLER]
    assert execution.span_id == execution_span_id(execution_id)
    assert execution.name == f"invoke_workflow {ending.workflow.slug}"
    assert execution.resource["service.name"] == "headrace"
    assert execution.resource["service.instance.id"] == "worker-1"
    assert execution.resource["headrace.part"] == "worker"
    assert {span.parent_id for span in found if span is not execution} == {execution.span_id}


async def test_of_traces_that_are_not_sampled_those_that_failed_are_sent(
    store: Store, account: Account, collector: Collector
) -> None:
    async with trace_process(store, "worker", "worker-1"):
        ending = await Ending.of(store, account)
        await ending.walk(await ending.accept(trace=header("00")))
        await ending.walk(await ending.accept())
        failed = await ending.failed(trace=header("00"))

    executions = {
        span.attributes["headrace.execution.id"]
        for span in collector.spans
        if "headrace.execution.id" in span.attributes
    }
    assert executions == {keyspace.parse_reference(failed)[1]}


async def test_a_slow_collector_holds_up_neither_ends_nor_the_process(
    store: Store, account: Account, collector: Collector
) -> None:
    collector.delay_seconds = 30
    ending = await Ending.of(store, account)
    async with trace_process(store, "worker", "worker-1"):
        for _ in range(5):
            await ending.walk(await ending.accept(trace=header("01")))
        began = time.monotonic()

    assert time.monotonic() - began < 15
    collector.delay_seconds = 0
