"""Redis loses the latest writes while a worker walks on: record, result and charge agree."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from engine.executions.execution import Execution, ExecutionStatus
from engine.store import Store
from engine.store.executions.steps import Step
from engine.store.redis import keyspace
from engine.store.redis.records import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, http_fan
from tests.support.redis.rewind import rewind, take_snapshot
from tests.support.store.records import FIRST_DONE
from tests.support.workers.held_walker import WORKER, Hands, begin_waiting, held
from tests.support.workers.paying_account import (
    PRICE,
    Buyer,
    PlainPool,
    answer,
    costs,
    fan,
    model_node,
)
from tests.workers.walk.test_reconciler import OTHER, advance, share

T = TypeVar("T")


def line(*node_ids: str) -> Graph:
    """Charged nodes, each with the answer of the one before as its prompt."""
    graph = model_node(Graph(), node_ids[0])
    for before, node_id in zip(node_ids, node_ids[1:], strict=False):
        graph.node(node_id, "customModel", model="echo")
        graph.wire(f"{before}.text-out > {node_id}.prompt-in")
    return answer(graph, node_ids[-1])


def statuses(execution: Execution) -> list[str]:
    return [node.status.value for node in execution.nodes]


async def test_a_walk_whose_latest_steps_were_lost_goes_on_from_the_record(
    buyer: Buyer, store: Store
) -> None:
    buyer.models.held = {"one", "<one>"}
    execution_id = await buyer.begin(line("one", "two"))
    await buyer.models.called(1)
    earlier = await take_snapshot(store.client)  # the first node runs
    buyer.models.open_once()
    await buyer.models.called(2)  # the second runs on the answer of the first
    await rewind(store.client, earlier)
    buyer.models.held = set()
    buyer.models.answers = {"one": "another"}

    buyer.models.open()
    execution = await buyer.end(execution_id)

    assert execution.result == {"text": "<another>"}
    assert statuses(execution) == ["completed"] * 3
    assert costs(execution) == [PRICE, PRICE]
    assert [node.attempts for node in execution.nodes] == [1, 1, 1]
    assert buyer.models.calls == ["one", "<one>", "one", "another"]
    assert await buyer.paid(2 * PRICE)


async def test_what_another_walker_had_recorded_is_not_built_on_when_it_is_lost(
    runner: Runner, hands: Hands, store: Store
) -> None:
    claimed = await share(runner, hands)
    earlier = await take_snapshot(store.client)
    row = [0, 1, claimed.now, 1, None, pack({"response-out": "theirs", "status-out": 200})]
    await advance(store, claimed, 2, Step(settled=FIRST_DONE, rows=[row], leave=True))
    key = keyspace.execution(claimed.account_id, claimed.execution_id)
    hands.walker.take(claimed.reference)  # it looks around and learns of it
    await eventually(lambda: store.client.send("HGET", key, "step2"), lambda step: step == b"2")
    await rewind(store.client, earlier)
    await store.walks.give_back(claimed.reference, OTHER, is_lost=True)

    hands.gate.opened.set()
    execution = await runner.end(claimed.execution_id)

    assert execution.result == {"values": ["done", "done"]}
    assert statuses(execution) == ["completed"] * 3
    assert sorted(call[-3:] for call in hands.gate.calls) == ["n=0", "n=1", "n=1"]


async def test_a_walk_whose_claim_was_lost_claims_again(
    runner: Runner, hands: Hands, store: Store
) -> None:
    execution_id = await runner.begin(await runner.save(http_fan("https://example.com/", 1)))
    earlier = await take_snapshot(store.client)
    hands.walker.take(keyspace.reference(runner.account.id, execution_id))
    await hands.gate.called(1)
    await rewind(store.client, earlier)

    hands.gate.opened.set()
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert len(hands.gate.calls) == 2
    assert await store.leases.held(WORKER) == []


async def test_a_walk_of_what_is_not_on_record_any_more_ends_without_a_word(
    runner: Runner, hands: Hands, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    earlier = await take_snapshot(store.client)
    await begin_waiting(runner, hands)
    await rewind(store.client, earlier)

    hands.gate.opened.set()
    await eventually(_async(lambda: hands.released), lambda released: released == 1)

    assert held(hands.walker) == 0
    assert await store.client.send("KEYS", "*") == list(earlier.keys)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_an_execution_whose_end_was_lost_ends_again_and_is_charged_once(
    buyer: Buyer, store: Store
) -> None:
    buyer.models.held = {"<one>"}
    execution_id = await buyer.begin(line("one", "two"))
    await buyer.models.called(2)
    earlier = await take_snapshot(store.client)
    buyer.models.open()
    first = await buyer.end(execution_id)
    await rewind(store.client, earlier)

    await store.walks.give_back(buyer.reference(execution_id), WORKER, is_lost=False)
    buyer.hands.walker.take(buyer.reference(execution_id))
    execution = await buyer.end(execution_id)

    assert execution.result == first.result
    assert statuses(execution) == ["completed"] * 3
    assert buyer.models.calls == ["one", "<one>", "<one>"]
    assert await buyer.paid(2 * PRICE)


async def test_a_hole_in_the_kept_answers_is_asked_for_again(buyer: Buyer, store: Store) -> None:
    buyer.models.held = {"p1", "p2"}
    execution_id = await buyer.begin(answer(fan(Graph(), "p", 3), "p"))
    key = keyspace.execution(buyer.account.id, execution_id)
    kept = await eventually(lambda: store.client.send("HGET", key, "kept"))
    index = kept.partition(b"=")[0].decode()
    await store.client.send("HDEL", key, f"k{index}.1")

    await store.walks.give_back(buyer.reference(execution_id), WORKER, is_lost=True)
    buyer.models.held = set()
    other = Hands(store, PlainPool(), buyer.models, OTHER)
    other.walker.take(buyer.reference(execution_id))
    execution = await buyer.end(execution_id)
    await other.walker.drain(0)

    assert execution.result == ["<p0>", "<p1>", "<p2>"]
    assert await buyer.paid(3 * PRICE)


def _async(read: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    async def call() -> T:
        return read()

    return call
