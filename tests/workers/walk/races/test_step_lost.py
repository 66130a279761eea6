"""Redis loses the latest writes while a worker walks on: record, result and charge agree."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from engine.executions.execution import Execution
from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus
from engine.store import Store
from engine.store.executions.advance import Step
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, http_fan
from tests.support.redis.rewind import rewind, take_snapshot
from tests.support.store.records import FIRST_DONE
from tests.support.workers.held_walker import WORKER, HeldWalker, begin_waiting, executions_held
from tests.support.workers.paying_account import (
    PRICE,
    PayingAccount,
    PlainPool,
    answer,
    costs,
    fan,
    model_node,
)
from tests.workers.walk.resume.test_reconciler import OTHER, advance, share

T = TypeVar("T")


def chain(*node_ids: str) -> Graph:
    """Return charged nodes, each with the answer of the one before as its prompt."""
    graph = model_node(Graph(), node_ids[0])
    for before, node_id in zip(node_ids, node_ids[1:], strict=False):
        graph.node(node_id, "customModel", model="echo")
        graph.wire(f"{before}.text-out > {node_id}.prompt-in")
    return answer(graph, node_ids[-1])


def statuses(execution: Execution) -> list[str]:
    return [node.status.value for node in execution.nodes]


@pytest.mark.F19
async def test_a_walk_whose_latest_steps_were_lost_goes_on_from_the_record(
    payer: PayingAccount, store: Store
) -> None:
    payer.models.held = {"one", "<one>"}
    execution_id = await payer.begin(chain("one", "two"))
    await payer.models.called(1)
    earlier = await take_snapshot(store.client)  # the first node runs
    payer.models.open_once()
    await payer.models.called(2)  # the second runs on the answer of the first
    await rewind(store.client, earlier)
    payer.models.held = set()
    payer.models.answers = {"one": "another"}

    payer.models.open()
    execution = await payer.end(execution_id)

    assert execution.result == {"text": "<another>"}
    assert statuses(execution) == ["completed"] * 3
    assert costs(execution) == [PRICE, PRICE]
    assert [node.attempts for node in execution.nodes] == [1, 1, 1]
    assert payer.models.calls == ["one", "<one>", "one", "another"]
    assert await payer.paid(2 * PRICE)


async def test_lost_records_of_another_walker_are_not_built_on(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    claimed = await share(runner, held_walker)
    earlier = await take_snapshot(store.client)
    outputs = pack({"response-out": "theirs", "status-out": 200})
    row = NodeRow(0, 1, claimed.now, 1, None, outputs)
    await advance(store, claimed, 2, Step(settled=FIRST_DONE, rows=[row], leave=True))
    key = keyspace.execution(claimed.account_id, claimed.execution_id)
    held_walker.walker.take_hint(claimed.reference)  # it reconciles and learns of it
    await eventually(lambda: store.client.send("HGET", key, "step2"), lambda step: step == b"2")
    await rewind(store.client, earlier)
    await store.walks.give_back(claimed.reference, OTHER, is_lost=True)

    held_walker.gate.opened.set()
    execution = await runner.end(claimed.execution_id)

    assert execution.result == {"values": ["done", "done"]}
    assert statuses(execution) == ["completed"] * 3
    assert sorted(call[-3:] for call in held_walker.gate.calls) == ["n=0", "n=1", "n=1"]


async def test_a_walk_whose_claim_was_lost_claims_again(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    execution_id = await runner.begin(await runner.save(http_fan("https://example.com/", 1)))
    earlier = await take_snapshot(store.client)
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await held_walker.gate.called(1)
    await rewind(store.client, earlier)

    held_walker.gate.opened.set()
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert len(held_walker.gate.calls) == 2
    assert await store.leases.held(WORKER) == []


async def test_a_walk_without_a_record_ends_without_an_error(
    runner: Runner, held_walker: HeldWalker, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    earlier = await take_snapshot(store.client)
    await begin_waiting(runner, held_walker)
    await rewind(store.client, earlier)

    held_walker.gate.opened.set()
    await eventually(_async(lambda: held_walker.released), lambda released: released == 1)

    assert executions_held(held_walker.walker) == 0
    assert await store.client.send("KEYS", "*") == list(earlier.keys)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


@pytest.mark.F19
async def test_an_execution_whose_end_was_lost_ends_again_and_is_charged_once(
    payer: PayingAccount, store: Store
) -> None:
    payer.models.held = {"<one>"}
    execution_id = await payer.begin(chain("one", "two"))
    await payer.models.called(2)
    earlier = await take_snapshot(store.client)
    payer.models.open()
    first = await payer.end(execution_id)
    await rewind(store.client, earlier)

    await store.walks.give_back(payer.reference(execution_id), WORKER, is_lost=False)
    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert execution.result == first.result
    assert statuses(execution) == ["completed"] * 3
    assert payer.models.calls == ["one", "<one>", "<one>"]
    assert await payer.paid(2 * PRICE)


async def test_a_hole_in_the_kept_answers_is_asked_for_again(
    payer: PayingAccount, store: Store
) -> None:
    payer.models.held = {"p1", "p2"}
    execution_id = await payer.begin(answer(fan(Graph(), "p", 3), "p"))
    key = keyspace.execution(payer.account.id, execution_id)
    batches = await eventually(lambda: store.client.send("HGET", key, "answer_batches"))
    index = batches.partition(b"=")[0].decode()
    await store.client.send("HDEL", key, f"k{index}.1")

    await store.walks.give_back(payer.reference(execution_id), WORKER, is_lost=True)
    payer.models.held = set()
    other = HeldWalker(store, PlainPool(), payer.models, OTHER)
    other.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)
    await other.walker.drain(0)

    assert execution.result == ["<p0>", "<p1>", "<p2>"]
    assert await payer.paid(3 * PRICE)


def _async(read: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    async def call() -> T:
        return read()

    return call
