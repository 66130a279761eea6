"""Small runs of pure nodes, walked before they are claimed."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import StoreFull, Unavailable
from engine.executions.statuses import ExecutionStatus
from engine.media.objects import ObjectStore
from engine.nodes.response_output import ResponseOutput
from engine.nodes.support.base import Outputs
from engine.services.runs.node_values import read_node
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.hints import InlineRun, parse_inline_run
from engine.store.executions.walks import Walks
from engine.store.redis import keyspace, process_keys
from engine.store.redis.record_packing import pack
from engine.telemetry import metrics
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, greeting, http_fan
from tests.support.workers.held_walker import WORKER, HeldWalker, executions_held
from workers.walk.fast import fast_path

AWAY = Unavailable("The store cannot be reached right now")


async def take_carried(runner: Runner, store: Store) -> InlineRun:
    """Take the only hint out of the queue and return its inline run."""
    hint = await store.client.send("LPOP", process_keys.hints("walk"))
    inline_run = parse_inline_run(hint)
    assert inline_run is not None
    return inline_run


async def fence(store: Store, reference: str) -> bytes | None:
    """Return the number of claims of an execution."""
    key = keyspace.execution(*keyspace.parse_reference(reference))
    value: bytes | None = await store.client.send("HGET", key, "fence")
    return value


async def begin(runner: Runner, graph: Graph, **inputs: str) -> str:
    """Accept an execution; returns its reference."""
    execution_id = await runner.begin(await runner.save(graph), inputs)
    return keyspace.reference(runner.account.id, execution_id)


def ended(status: str) -> float:
    return metrics.EXECUTIONS_ENDED.labels(status)._value.get()


def refused() -> float:
    return metrics.CLAIMS_REFUSED._value.get()


def observed(part: str) -> list[float]:
    """Return the number or the sum of the times of completed executions, and of the waits."""
    series = {"execution_seconds": {"status": "completed"}, "hint_wait_seconds": {"queue": "walk"}}
    read = metrics.REGISTRY.get_sample_value
    return [read(f"headrace_{name}_{part}", labels) or 0.0 for name, labels in series.items()]


async def test_an_inline_run_is_run_without_a_claim_and_counted(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    reference = await begin(runner, greeting(3), who="Ada")
    texts = metrics.NODES_ENDED.labels("textBox", "completed")._value
    before = (ended("completed"), texts.get(), refused())
    counts, sums = observed("count"), observed("sum")
    await asyncio.sleep(0.05)

    held_walker.walker.take_hint(reference, await take_carried(runner, store))
    await eventually(_async(lambda: held_walker.released == 1))
    execution = await runner.end(keyspace.parse_reference(reference)[1])

    assert execution.result == {"text": "Hello Hello Hello Ada"}
    assert await fence(store, reference) is None
    assert (ended("completed"), texts.get(), refused()) == (before[0] + 1, before[1] + 3, before[2])
    assert observed("count") == [count + 1 for count in counts]
    assert all(0.04 < new - old < 60 for new, old in zip(observed("sum"), sums, strict=True))
    assert (executions_held(held_walker.walker), await held_walker.load_gate.wait_quiet(0)) == (
        0,
        64,
    )
    assert await store.leases.held(WORKER) == []


@pytest.mark.usefixtures("walker")
async def test_a_graph_of_pure_nodes_with_short_inputs_is_claimed_and_ended_in_one_step(
    store: Store, runner: Runner
) -> None:
    execution = await runner.run(greeting(150), {"who": "Ada"})

    key = keyspace.execution(runner.account.id, execution.id)
    fence, step, walked = await store.client.send("HMGET", key, "fence", "step1", "walked")
    assert (fence, step) == (None, None)
    assert walked


@pytest.mark.usefixtures("walker")
async def test_nodes_of_a_run_that_was_walked_before_its_claim_show_the_same(
    runner: Runner, store: Store
) -> None:
    execution = await runner.run(greeting(2), {"who": "Ada"})

    found = await read_node(store, runner.account.id, execution.id, "t1")

    assert (found.inputs, found.outputs) == (
        {"a": "Hello Ada"},
        {"text-out": "Hello Hello Ada"},
    )
    (attempt,) = found.attempts.attempts
    assert (attempt.number, attempt.worker) == (1, None)


async def test_a_run_whose_plan_is_cached_is_walked_while_its_hint_is_read(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    reference = await begin(runner, greeting(), who="Ada")
    inline_run, tasks = await take_carried(runner, store), asyncio.all_tasks()

    held_walker.walker.take_hint(reference, inline_run)

    assert asyncio.all_tasks() == tasks
    assert (await runner.end(keyspace.parse_reference(reference)[1])).result == {
        "text": "Hello Ada"
    }
    await eventually(_async(lambda: held_walker.released == 1))


async def test_a_run_whose_plan_must_be_read_needs_no_claim_either(
    runner: Runner, store: Store, settings: Settings
) -> None:
    reference = await begin(runner, greeting(), who="Ada")
    inline_run = await take_carried(runner, store)

    other = Store.open(settings, ObjectStore.from_settings(settings))
    held_walker = HeldWalker(other)
    held_walker.walker.take_hint(reference, inline_run)
    await eventually(_async(lambda: held_walker.released == 1))
    await other.close()

    execution = await runner.end(keyspace.parse_reference(reference)[1])
    assert execution.result == {"text": "Hello Ada"}
    assert await fence(store, reference) is None


async def test_a_doubled_hint_is_refused_by_the_claim(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    reference = await begin(runner, greeting(), who="Ada")
    inline_run = await take_carried(runner, store)
    before = refused()

    for number in range(1, 4):
        held_walker.walker.take_hint(reference, inline_run)
        await eventually(_async(lambda number=number: held_walker.released == number))

    assert refused() - before == 2
    execution = await runner.end(keyspace.parse_reference(reference)[1])
    assert execution.result == {"text": "Hello Ada"}


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": pack({"who": "Eve"})},
        {"inputs": b"\xc1"},
        {"inputs": b"\x81\x90\x90"},
        {"inputs": pack("Eve")},
        {"version": 7},
        {"slug": "unknown"},
    ],
)
async def test_a_hint_is_never_the_truth(
    change: dict[str, Any],
    runner: Runner,
    held_walker: HeldWalker,
    store: Store,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reference = await begin(runner, greeting(), who="Ada")
    inline_run = await take_carried(runner, store)
    fields: dict[str, Any] = {
        "slug": inline_run.slug,
        "version": inline_run.version,
        "inputs": inline_run.inputs,
    }

    held_walker.walker.take_hint(reference, InlineRun(**fields | change))
    execution = await runner.end(keyspace.parse_reference(reference)[1])

    assert execution.result == {"text": "Hello Ada"}
    assert await fence(store, reference) == b"1"
    assert "node raised" not in caplog.text


async def test_a_run_that_is_not_pure_is_claimed_despite_its_inline_run(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    held_walker.gate.opened.set()
    slug = await runner.save(http_fan("https://example.com/", 1))
    reference = keyspace.reference(runner.account.id, await runner.begin(slug))

    held_walker.walker.take_hint(reference, InlineRun(slug=slug, version=1, inputs=pack({})))
    await eventually(_async(lambda: held_walker.released == 1))

    assert len(held_walker.gate.calls) == 1
    assert await fence(store, reference) == b"1"


async def test_a_hint_of_an_older_version_does_not_mix_it_with_a_newer_one(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    slug = await runner.save(greeting())
    workflow = await store.workflows.get(slug)
    await store.workflows.update(runner.account.id, slug, workflow.document, [])
    execution_id = await runner.begin(slug, {"who": "Ada"})
    reference = keyspace.reference(runner.account.id, execution_id)
    inputs = (await take_carried(runner, store)).inputs

    held_walker.walker.take_hint(reference, InlineRun(slug=slug, version=1, inputs=inputs))

    assert (await runner.end(execution_id)).workflow_version == 2
    assert await fence(store, reference) == b"1"


async def test_a_node_that_fails_fails_as_after_a_claim(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    graph = Graph("who").node("pick", "textBox", text="{{a.b.c}}").wire("in.who > pick.a")
    graph.node("out", "responseOutput").wire("pick.text-out > out.result-in")
    reference = await begin(runner, graph, who="Ada")

    held_walker.walker.take_hint(reference, await take_carried(runner, store))
    execution = await runner.end(keyspace.parse_reference(reference)[1])

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["nodeId"] == "pick"
    assert await fence(store, reference) == b"1"


async def test_outputs_that_are_not_small_are_recorded_as_after_a_claim(
    runner: Runner, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path, "OFFLOAD_FROM_BYTES", 40)
    reference = await begin(runner, greeting(2), who="Ada")
    other = HeldWalker(store)

    other.walker.take_hint(reference, await take_carried(runner, store))
    execution = await runner.end(keyspace.parse_reference(reference)[1])

    assert execution.result == {"text": "Hello Hello Ada"}
    assert await fence(store, reference) == b"1"
    await other.walker.drain(0)


async def test_a_cancelled_execution_stays_cancelled(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    reference = await begin(runner, greeting(), who="Ada")
    execution_id = keyspace.parse_reference(reference)[1]
    inline_run = await take_carried(runner, store)
    await store.executions.cancel(runner.account.id, execution_id)
    before = ended("completed")

    held_walker.walker.take_hint(reference, inline_run)
    await eventually(_async(lambda: held_walker.released == 1))

    assert (await runner.end(execution_id)).status is ExecutionStatus.CANCELLED
    assert ended("completed") == before


async def test_inputs_that_are_not_small_together_are_not_even_tried(
    runner: Runner, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path, "OFFLOAD_FROM_BYTES", 150)
    graph = Graph("who").node("out", "responseOutput")
    graph.wire(*["in.who > out.result-in"] * 4)
    reference = await begin(runner, graph, who="x" * 40)
    other, run, lists = HeldWalker(store), ResponseOutput.run, list[Any]()

    async def note(node_type: ResponseOutput, *words: Any) -> Outputs:
        lists.append(words)
        return await run(node_type, *words)

    monkeypatch.setattr(ResponseOutput, "run", note)
    other.walker.take_hint(reference, await take_carried(runner, store))
    await eventually(_async(lambda: other.released == 1))

    assert len(lists) == 1
    await other.walker.drain(0)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [AWAY, StoreFull()])
async def test_an_end_whose_reply_was_lost_is_asked_again(
    error: Exception,
    after: bool,
    runner: Runner,
    held_walker: HeldWalker,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, left = Walks.finish, [error, error]

    async def fail_at_first(walks: Walks, *words: Any) -> int:
        if left and not after:
            raise left.pop()
        done = await real(walks, *words)
        if left:
            raise left.pop()
        return done

    def finish(*words: Any) -> asyncio.Task[int]:
        return asyncio.create_task(fail_at_first(*words))

    monkeypatch.setattr(Walks, "finish", finish)
    reference = await begin(runner, greeting(), who="Ada")
    before = (ended("completed"), refused())

    held_walker.walker.take_hint(reference, await take_carried(runner, store))
    await eventually(_async(lambda: held_walker.released == 1))

    assert (ended("completed"), refused()) == (before[0] + 1, before[1])
    assert await fence(store, reference) is None


async def test_a_worker_that_stops_before_the_store_answers_leaves_the_run_to_others(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def finish(*_: Any) -> asyncio.Future[int]:
        reply: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        asked.append(reply)
        if len(asked) == 1:
            reply.set_exception(AWAY)
        return reply

    monkeypatch.setattr(Walks, "finish", finish)
    reference = await begin(runner, greeting(), who="Ada")
    inline_run = await take_carried(runner, store)
    held_walker.walker.take_hint(reference, inline_run)
    await eventually(_async(lambda: len(asked) == 2))
    other = await begin(runner, greeting(), who="Bob")
    held_walker.walker.take_hint(other, await take_carried(runner, store))

    await held_walker.walker.drain(0.05)

    assert (held_walker.released, executions_held(held_walker.walker)) == (2, 0)
    assert held_walker.walker.memory.used == 0
    hints = await store.client.send("LRANGE", process_keys.hints("walk"), 0, -1)
    assert {hint.decode() for hint in hints} == {f"walk|{each}" for each in (reference, other)}


def _async(read: Callable[[], Any]) -> Any:
    async def call() -> Any:
        return read()

    return call
