"""Walks of executions, on real parts: Redis, Dramatiq, the pool and a local HTTP server."""

import asyncio
from dataclasses import replace

import pytest

from engine.errors.nodes import NodeFailed
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Store
from engine.store.executions import acceptance
from engine.store.redis import keyspace
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Graph, Runner, greeting, http_fan, http_line
from tests.support.http.scripted_server import Target
from tests.support.media.object_files import outputs_of
from workers.main import worker
from workers.nodes.context import NodeContext
from workers.walk.attempt import Attempts
from workers.walk.walker import Walker

pytestmark = pytest.mark.usefixtures("walker")


def statuses(execution) -> dict[int, str]:
    return {node.index: node.status.value for node in execution.nodes}


async def test_a_chain_of_pure_nodes_gives_its_result(runner: Runner) -> None:
    execution = await runner.run(greeting(3), {"who": "Ada"})

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.result == {"text": "Hello Hello Hello Ada"}
    assert {node.status for node in execution.nodes} == {NodeStatus.COMPLETED}
    assert [node.attempts for node in execution.nodes] == [1, 1, 1, 1, 1]


async def test_a_graph_of_pure_nodes_with_long_inputs_costs_one_claim_and_one_advance(
    store: Store, runner: Runner
) -> None:
    execution = await runner.run(greeting(50), {"who": "A" * 5_000})

    key = keyspace.execution(runner.account.id, execution.id)
    assert await store.client.send("HMGET", key, "fence", "step1") == [b"1", b"1"]


async def test_parallel_calls_run_together(runner: Runner, target: Target) -> None:
    graph = http_fan(f"{target.url}/together/20", 20)

    execution = await runner.run(graph)

    assert [value["n"] for value in execution.result["values"]] == list(range(20))
    assert sum(target.calls.values()) == 20


async def test_each_call_in_a_line_is_recorded_before_the_next(
    runner: Runner, target: Target
) -> None:
    execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/slow/0.4", 3)))
    await eventually(_async(lambda: target.calls[f"/slow/0.4?n={1}"]))

    execution = await runner.store.executions.get(runner.account.id, execution_id)

    assert [node.status.value for node in execution.nodes] == [
        "completed", "running", "pending", "pending",
    ]  # fmt: skip
    assert (await runner.end(execution_id)).result == {"n": 2, "kind": "slow"}


async def test_a_failing_call_is_retried_as_its_policy_says(runner: Runner, target: Target) -> None:
    graph = http_fan(f"{target.url}/flaky/2/a", 1, retry={"attempts": 3, "backoff": 0.05})

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.nodes[0].attempts == 3
    assert sum(target.calls.values()) == 3


async def test_attempts_run_out(runner: Runner, target: Target) -> None:
    graph = http_fan(f"{target.url}/flaky/5/a", 1, retry={"attempts": 2, "backoff": 0.01})

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert (execution.error["nodeId"], execution.error["nodeType"]) == ("h0", "httpRequest")
    assert "503" in execution.error["reason"]
    assert (execution.error["nodeCode"], execution.error["retryable"]) == ("http_status", True)
    assert sum(target.calls.values()) == 2


async def test_an_execution_is_left_during_a_long_pause_and_taken_up_again(
    runner: Runner, target: Target, store: Store
) -> None:
    graph = http_fan(f"{target.url}/flaky/1/a", 1, retry={"attempts": 2, "backoff": 1.5})
    execution_id = await runner.begin(await runner.save(graph))
    await eventually(_async(lambda: sum(target.calls.values())))
    key = keyspace.execution(runner.account.id, execution_id)

    holders = await eventually(
        lambda: store.client.send("HGET", key, "holders"), lambda n: n == b"0"
    )
    paused = await store.executions.get(runner.account.id, execution_id)

    assert holders == b"0"
    assert paused.nodes[0].status is NodeStatus.RETRYING
    execution = await runner.end(execution_id)
    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.nodes[0].attempts == 2


async def test_a_failure_that_may_go_on_delivers_null(runner: Runner, target: Target) -> None:
    graph = http_fan(f"{target.url}/status/500", 1, onError="continue")

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.result is None
    assert execution.nodes[0].status is NodeStatus.FAILED
    assert execution.nodes[0].error is not None


async def test_a_failure_stops_the_others_and_skips_the_rest(
    runner: Runner, target: Target
) -> None:
    graph = http_fan(f"{target.url}/slow/50", 2)
    graph.node("bad", "httpRequest", url=f"{target.url}/status/404?after=2")
    graph.wire("bad.response-out > out.result-in")

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.FAILED
    assert sorted(statuses(execution).values()) == ["cancelled", "cancelled", "failed", "skipped"]
    await eventually(_async(lambda: target.aborted == 2))


async def test_a_node_that_fails_while_the_end_is_prepared_is_not_the_error(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_fail, has_failed = asyncio.Event(), asyncio.Event()

    async def evaluate(_: NodeContext, expression: str, __: object) -> None:
        if expression == "'late'":
            await may_fail.wait()
            has_failed.set()
        raise NodeFailed("invalid_output", expression)

    async def flush(_: Attempts) -> None:
        may_fail.set()
        await has_failed.wait()
        await asyncio.sleep(0.05)  # its attempt ends

    monkeypatch.setattr(NodeContext, "evaluate", evaluate)
    monkeypatch.setattr(Attempts, "flush", flush)
    graph = Graph("who").node("out", "responseOutput")
    for name in ("late", "first"):
        graph.node(name, "transform", expression=f"'{name}'")
        graph.wire(f"in.who > {name}.value-in", f"{name}.value-out > out.result-in")

    execution = await runner.run(graph, {"who": "Ada"})

    assert execution.error is not None
    assert execution.error["nodeId"] == "first"


async def test_the_branch_not_taken_is_skipped(runner: Runner) -> None:
    graph = (
        Graph("who")
        .node("if", "condition", expression="value == 'Ada'")
        .node("yes", "textBox", text="Welcome back, {{a}}")
        .node("no", "textBox", text="Who is {{a}}?")
        .node("out", "responseOutput")
        .wire("in.who > if.value-in", "if.true-out > yes.a", "if.false-out > no.a")
        .wire("yes.text-out > out.result-in", "no.text-out > out.result-in")
    )

    execution = await runner.run(graph, {"who": "Ada"})

    assert execution.result == {"text": "Welcome back, Ada"}
    assert sorted(statuses(execution).values()) == ["completed"] * 4 + ["skipped"]


async def test_expressions_are_evaluated(runner: Runner) -> None:
    graph = (
        Graph("who")
        .node("size", "transform", expression="size(value) * 2")
        .node("out", "responseOutput")
        .wire("in.who > size.value-in", "size.value-out > out.result-in")
    )

    assert (await runner.run(graph, {"who": "Ada"})).result == 6


async def test_values_that_count_as_false_come_through_wires_and_lists(runner: Runner) -> None:
    graph = Graph("who").node("all", "list", items=[{"value": 0}]).node("out", "responseOutput")
    for node_id, expression in {"f": "value != 'Ada'", "e": "''", "z": "0", "n": "null"}.items():
        graph.node(node_id, "transform", expression=expression)
        graph.wire(f"in.who > {node_id}.value-in", f"{node_id}.value-out > all.items-in")
    graph.wire("all.items-out > out.result-in")

    execution = await runner.run(graph, {"who": "Ada"})

    assert execution.result == [0, False, "", 0, None]


async def test_cancel_stops_a_running_call(runner: Runner, target: Target, store: Store) -> None:
    execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/slow/9", 2)))
    await eventually(_async(lambda: sum(target.calls.values())))

    status = await store.executions.cancel(runner.account.id, execution_id)
    execution = await runner.end(execution_id)

    assert status is ExecutionStatus.CANCEL_REQUESTED
    assert execution.status is ExecutionStatus.CANCELLED
    assert set(statuses(execution).values()) == {"cancelled"}
    [stopped] = [node for node in execution.nodes if node.started_at is not None]
    assert execution.started_at is not None and execution.completed_at is not None
    assert execution.started_at <= stopped.started_at <= execution.completed_at
    assert stopped.duration_ms == execution.completed_at - stopped.started_at
    assert stopped.attempts == 1
    assert sum(target.calls.values()) == 1
    await eventually(_async(lambda: target.aborted == 1))


async def test_a_lost_order_to_cancel_is_given_again(
    runner: Runner, target: Target, store: Store
) -> None:
    execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/slow/50", 1)))
    await eventually(_async(lambda: sum(target.calls.values())))
    await store.client.send(
        "HSET", keyspace.execution(runner.account.id, execution_id), "status", "cancel_requested"
    )
    partition = partition_of(runner.account.id)
    reference = keyspace.reference(runner.account.id, execution_id)
    await store.client.send("ZADD", keyspace.due(partition), 1, reference)

    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.CANCELLED


async def test_a_node_over_its_time_fails(runner: Runner, target: Target) -> None:
    execution = await runner.run(http_fan(f"{target.url}/slow/30", 1, timeoutSeconds=0.3))

    assert execution.status is ExecutionStatus.FAILED
    assert execution.nodes[0].error is not None
    assert execution.nodes[0].error["code"] == "timeout"


async def test_an_expression_that_eats_memory_fails_alone(runner: Runner) -> None:
    bomb = f"[{','.join(['value + value'] * 200)}].map(s, s + s + s + s + s + s + s + s)"
    graph = (
        Graph("who")
        .node("bomb", "transform", expression=bomb, timeoutSeconds=2)
        .node("out", "responseOutput")
        .wire("in.who > bomb.value-in", "bomb.value-out > out.result-in")
    )

    execution = await runner.run(graph, {"who": "x" * 200_000})
    after = await runner.run(greeting(), {"who": "Ada"})

    assert execution.status is ExecutionStatus.FAILED
    assert after.result == {"text": "Hello Ada"}


async def test_large_outputs_are_offloaded_and_read_back(
    runner: Runner, target: Target, store: Store, settings: Settings
) -> None:
    graph = http_fan(f"{target.url}/large/400000", 1)

    execution = await runner.run(graph)

    key = keyspace.execution(runner.account.id, execution.id)
    assert execution.result == "x" * 400_000
    assert await store.client.send("MEMORY", "USAGE", key, "SAMPLES", 0) < 4_000
    assert len(outputs_of(settings, runner.account.id, execution.id)) == 2


async def test_many_middling_outputs_do_not_make_a_huge_record(
    runner: Runner, target: Target, store: Store
) -> None:
    execution = await runner.run(http_fan(f"{target.url}/large/200000", 12))

    key = keyspace.execution(runner.account.id, execution.id)
    assert [len(value) for value in execution.result["values"]] == [200_000] * 12
    assert await store.client.send("MEMORY", "USAGE", key, "SAMPLES", 0) < 1_500_000


async def test_outputs_together_have_a_limit(
    settings: Settings, runner: Runner, target: Target, walker: Walker
) -> None:
    walker._dependencies = replace(walker._dependencies, max_bytes=500_000)

    execution = await runner.run(http_fan(f"{target.url}/large/200000", 3))

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert "500000 bytes" in execution.error["reason"]


@pytest.mark.F32
async def test_doubled_hints_run_nothing_twice(
    runner: Runner, target: Target, store: Store, settings: Settings
) -> None:
    async with worker(settings):
        execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/slow/0.1", 4)))
        reference = keyspace.reference(runner.account.id, execution_id)
        for _ in range(20):
            await store.hints.send([reference])
            await asyncio.sleep(0.02)
        execution = await runner.end(execution_id)
        await store.hints.send([reference, "nobody/nothing", "nonsense"])
        await eventually(store.hints.depth, lambda depth: depth == 0)

    assert execution.status is ExecutionStatus.COMPLETED
    assert set(target.calls.values()) == {1}


@pytest.mark.F05
async def test_a_lost_hint_is_sent_again(
    runner: Runner, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = await runner.save(greeting())
    monkeypatch.setattr(type(store.hints), "send_soon", lambda *_: None)
    in_earnest = acceptance.RESEND_AFTER_MS
    monkeypatch.setattr(acceptance, "RESEND_AFTER_MS", 500)
    execution_id = await runner.begin(slug, {"who": "Ada"})

    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.completed_at is not None
    assert 490 < execution.completed_at - execution.created_at < 2_500
    assert in_earnest == 5_000


async def test_heavy_expressions_are_shared_with_another_worker(
    runner: Runner, settings: Settings, store: Store
) -> None:
    scan = "(value + value + value + value).matches('.*(a|b)*c.*d')"
    heavy = f"[0,1,2,3,4,5,6,7,8,9].map(a, [0,1,2,3,4,5,6,7,8,9].map(b, {scan}))"
    graph = Graph("who").node("out", "responseOutput")
    for number in range(12):
        graph.node(f"c{number}", "transform", expression=heavy, timeoutSeconds=PATIENCE_SECONDS)
        graph.wire(f"in.who > c{number}.value-in", f"c{number}.value-out > out.result-in")

    fences = 1
    async with worker(settings):
        for _ in range(4):  # on a busy machine, the other worker may come too late
            execution = await runner.run(graph, {"who": "ab" * 40_000})
            assert execution.status is ExecutionStatus.COMPLETED
            assert len(execution.result["values"]) == 12
            key = keyspace.execution(runner.account.id, execution.id)
            fences = max(fences, int(await store.client.send("HGET", key, "fence")))
            if fences > 1:
                break

    assert fences > 1


async def test_a_stopping_worker_gives_back_without_using_an_attempt(
    runner: Runner, settings: Settings, target: Target, walker: Walker
) -> None:
    execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/slow/1.5", 1)))
    await eventually(_async(lambda: sum(target.calls.values())))

    await walker.drain(0.1)
    async with worker(settings):
        execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.nodes[0].attempts == 1
    assert sum(target.calls.values()) == 2


def _async(read):
    async def call():
        return read()

    return call
