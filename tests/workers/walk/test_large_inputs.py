"""Walks of executions whose inputs are kept aside."""

import math

import pytest

from engine.executions.execution import Execution, ExecutionStatus, NodeStatus
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.offload import NoBlobStore
from engine.store.executions.records import parse_rows
from engine.store.executions.steps import Step
from engine.store.redis import keyspace
from engine.store.redis.records import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses, use
from tests.support.media.object_files import outputs_of
from tests.support.workers.held_walker import Hands
from tests.support.workers.paying_account import PRICE, Buyer, PlainPool, answer, model_node
from workers.recovery.sweeper import Sweeper
from workers.walk import large_inputs

LARGE = {"who": "x" * 300_000}
OTHER = "worker-2"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_pauses(monkeypatch)
    monkeypatch.setattr("workers.walk.walker.UNREAD_PAUSE_MS", 1)


@pytest.fixture
def blob_store(store: Store, settings: Settings) -> Faulty:
    return use(store, Faulty(settings.media_url))


def sized() -> Graph:
    """The length of the input, and the answer of a model; both are the result."""
    graph = model_node(Graph("who"), "one")
    graph.node("size", "transform", expression="size(value)").wire("in.who > size.value-in")
    return answer(graph, "one").wire("size.value-out > out.result-in")


RESULT = {"texts": ["<one>"], "values": [300_000]}


async def walk(buyer: Buyer, execution_id: str) -> Execution:
    buyer.hands.walker.take(buyer.reference(execution_id))
    return await buyer.end(execution_id)


async def given_back(buyer: Buyer, execution_id: str) -> None:
    """Wait until the worker has let the execution go."""

    async def is_in_hand() -> bool:
        return buyer.hands.walker.is_in_hand(buyer.reference(execution_id))

    await eventually(is_in_hand, lambda found: not found)


async def test_large_inputs_are_read_once_and_written_no_second_time(
    buyer: Buyer, blob_store: Faulty, settings: Settings
) -> None:
    execution = await buyer.run(sized(), LARGE)

    (file,) = outputs_of(settings, buyer.account.id, execution.id)
    assert {key: execution.result[key] for key in RESULT} == RESULT
    assert [key.rpartition("/")[2] for key in blob_store.asked] == [file.name]
    assert [key.rpartition("/")[2] for key in blob_store.written] == [file.name]
    record = await buyer.store.walks.records(buyer.account.id, execution.id)
    assert sum(map(len, record.values())) < 2_000
    assert [row[5] for row in parse_rows(record).values() if isinstance(row[5], str)] == [file.name]


async def test_they_count_in_the_memory_of_the_worker_before_they_are_read(
    buyer: Buyer, blob_store: Faulty
) -> None:
    execution_id = await buyer.accept(sized(), LARGE)
    blob_store.hangs = True

    buyer.hands.walker.take(buyer.reference(execution_id))

    async def is_asked() -> bool:
        return bool(blob_store.asked)

    await eventually(is_asked)
    assert buyer.hands.walker.memory.used >= len(LARGE["who"])


async def test_they_count_in_the_limit_of_a_run_as_others_do(buyer: Buyer) -> None:
    graph = Graph("who").node("t", "textBox", text="{{a}}").wire("in.who > t.a")
    graph.node("size", "transform", expression="size(value)").wire("t.text-out > size.value-in")
    graph.node("out", "responseOutput").wire("size.value-out > out.result-in")

    within = await buyer.run(graph, {"who": "x" * 450_000})
    over = await buyer.run(graph, {"who": "x" * 550_000})  # twice, and the limit is 1 MB

    assert within.status is ExecutionStatus.COMPLETED
    assert over.error is not None and over.error["nodeCode"] == "run_too_large"


async def test_a_place_that_cannot_be_read_for_a_while_costs_no_run(
    buyer: Buyer, blob_store: Faulty
) -> None:
    execution_id = await buyer.accept(sized(), LARGE)
    blob_store.left = 1_000

    for _ in range(10):  # more often than a run may be lost
        buyer.hands.walker.take(buyer.reference(execution_id))
        await given_back(buyer, execution_id)
    unread = await buyer.store.executions.get(buyer.account.id, execution_id)
    blob_store.left = 0
    execution = await walk(buyer, execution_id)

    assert unread.status is ExecutionStatus.PROCESSING
    assert {node.status for node in unread.nodes} == {NodeStatus.PENDING}
    assert execution.status is ExecutionStatus.COMPLETED
    assert await buyer.paid(PRICE)


async def test_what_could_not_be_read_is_due_again_after_a_pause(
    buyer: Buyer, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.walk.walker.UNREAD_PAUSE_MS", 60_000)
    execution_id = await buyer.accept(sized(), LARGE)
    blob_store.left = 1_000
    seconds, _ = await buyer.store.client.send("TIME")

    buyer.hands.walker.take(buyer.reference(execution_id))
    await given_back(buyer, execution_id)

    due = keyspace.due(partition_of(buyer.account.id))
    at = await buyer.store.client.send("ZSCORE", due, buyer.reference(execution_id))
    assert float(at) >= (int(seconds) + 60) * 1000


async def test_what_cannot_be_read_for_long_ends_with_an_error_and_costs_nothing(
    buyer: Buyer, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await buyer.accept(sized(), LARGE)
    blob_store.left = 1_000
    monkeypatch.setattr(large_inputs, "UNREAD_MS", 0)

    execution = await walk(buyer, execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error == {
        "code": "INTERNAL_ERROR",
        "message": large_inputs.UNREAD,
        "reason": large_inputs.UNREAD,
    }
    assert await buyer.paid(0)


async def test_inputs_that_are_gone_end_the_run_at_once_with_a_clear_error(
    buyer: Buyer, settings: Settings
) -> None:
    execution_id = await buyer.accept(sized(), LARGE)
    outputs_of(settings, buyer.account.id, execution_id)[0].unlink()

    execution = await walk(buyer, execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["message"] == "The inputs of this execution are not there any more"
    assert buyer.models.calls == []
    assert await buyer.paid(0)


async def test_damaged_inputs_are_as_good_as_gone(buyer: Buyer, settings: Settings) -> None:
    execution_id = await buyer.accept(sized(), LARGE)
    outputs_of(settings, buyer.account.id, execution_id)[0].write_bytes(b"short")

    execution = await walk(buyer, execution_id)

    assert execution.error is not None and execution.error["message"] == large_inputs.GONE


async def test_a_slow_place_holds_up_no_other_run_and_no_slot_for_computing(
    buyer: Buyer, blob_store: Faulty
) -> None:
    slow = await buyer.accept(sized(), LARGE)
    blob_store.hangs = True

    async def begins_no_other() -> bool:
        return await buyer.hands.pace.wait_quiet(0) < idle

    idle = await buyer.hands.pace.wait_quiet(0)
    buyer.hands.walker.take(buyer.reference(slow))
    assert await begins_no_other()
    await eventually(begins_no_other, lambda found: not found)

    execution = await buyer.run(answer(model_node(Graph(), "two"), "two"))

    assert execution.status is ExecutionStatus.COMPLETED
    assert buyer.hands.walker.is_in_hand(buyer.reference(slow))


async def test_a_run_that_was_cancelled_before_needs_no_inputs(
    buyer: Buyer, blob_store: Faulty
) -> None:
    execution_id = await buyer.accept(sized(), LARGE)
    claimed = await buyer.store.walks.claim(buyer.reference(execution_id), OTHER)
    assert claimed is not None
    await buyer.store.executions.cancel(buyer.account.id, execution_id)
    await buyer.store.walks.give_back(buyer.reference(execution_id), OTHER, is_lost=True)
    blob_store.left = 1_000

    execution = await walk(buyer, execution_id)

    assert execution.status is ExecutionStatus.CANCELLED
    assert blob_store.asked == []


async def left_by_another(buyer: Buyer, graph: Graph, *, settled: int) -> str:
    """Another worker has recorded the form and so many nodes behind it, and died."""
    execution_id = await buyer.accept(graph, LARGE)
    claimed = await buyer.store.walks.claim(buyer.reference(execution_id), OTHER)
    assert claimed is not None
    done = [(index, NodeStatus.COMPLETED) for index in range(1 + settled)]
    outputs = [claimed.inputs_name, *(pack({"text-out": "seen"}) for _ in range(settled))]
    rows = [[i, 1, claimed.now, 1, None, outputs[i]] for i, _ in done]
    step = Step(settled=done, rows=rows, names_objects=True)
    await buyer.store.walks.advance(claimed.lease, 1, step)
    await buyer.store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    return execution_id


def line() -> Graph:
    graph = Graph("who").node("a", "textBox", text="<{{w}}>").wire("in.who > a.w")
    return graph.node("out", "responseOutput").wire("a.text-out > out.result-in")


async def test_another_worker_reads_what_one_that_died_was_given(
    buyer: Buyer, blob_store: Faulty
) -> None:
    execution_id = await left_by_another(buyer, line(), settled=0)
    blob_store.left = 1_000
    buyer.hands.walker.take(buyer.reference(execution_id))
    await given_back(buyer, execution_id)
    blob_store.left = 0

    execution = await walk(buyer, execution_id)

    assert execution.result == {"text": f"<{LARGE['who']}>"}


async def test_another_worker_makes_of_them_what_the_form_gives(buyer: Buyer) -> None:
    graph = Graph().node("in", "requestInput", fields=[{"name": "who", "type": "json"}])
    graph.node("out", "responseOutput").wire("in.params > out.result-in")
    execution_id = await left_by_another(buyer, graph, settled=0)

    execution = await walk(buyer, execution_id)

    assert execution.result == LARGE


async def test_inputs_that_no_node_needs_any_more_are_not_read(
    buyer: Buyer, blob_store: Faulty
) -> None:
    execution_id = await left_by_another(buyer, line(), settled=1)
    blob_store.hangs = True

    execution = await walk(buyer, execution_id)

    assert execution.result == {"text": "seen"}


async def test_two_workers_at_one_run_have_the_same_inputs(buyer: Buyer, store: Store) -> None:
    second = Hands(store, PlainPool(), buyer.models, worker_id=OTHER)
    execution_id = await buyer.accept(sized(), LARGE)

    buyer.hands.walker.take(buyer.reference(execution_id))
    second.walker.take(buyer.reference(execution_id))
    execution = await buyer.end(execution_id)

    assert {key: execution.result[key] for key in RESULT} == RESULT
    assert await buyer.paid(PRICE)
    await second.walker.drain(0)


async def test_a_forgotten_execution_takes_its_inputs_along(
    buyer: Buyer, settings: Settings, store: Store
) -> None:
    execution = await buyer.run(sized(), LARGE)
    sweeper = Sweeper(store, "me", lease_seconds=3, retention_days=0)
    sweeper._sweep_after = math.inf
    await eventually(sweeper.prune)
    kept = outputs_of(settings, buyer.account.id, execution.id)

    await sweeper.remove_outputs()

    assert len(kept) == 1
    assert outputs_of(settings, buyer.account.id, execution.id) == []


async def test_an_execution_that_was_never_walked_takes_its_inputs_along(
    buyer: Buyer, settings: Settings, store: Store
) -> None:
    execution_id = await buyer.accept(sized(), LARGE)
    await store.executions.cancel(buyer.account.id, execution_id)
    sweeper = Sweeper(store, "me", lease_seconds=3, retention_days=0)
    sweeper._sweep_after = math.inf
    await eventually(sweeper.prune)

    await sweeper.remove_outputs()

    assert outputs_of(settings, buyer.account.id, execution_id) == []


async def test_inputs_that_cannot_be_removed_at_once_are_removed_later(
    buyer: Buyer, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await buyer.run(sized(), LARGE)
    sweeper = Sweeper(store, "me", lease_seconds=3, retention_days=0)
    sweeper._sweep_after = math.inf
    await eventually(sweeper.prune)
    with monkeypatch.context() as patch:
        patch.setattr(store.offloaded, "_blob_store", NoBlobStore())
        await sweeper.remove_outputs()
    assert len(outputs_of(settings, buyer.account.id, execution.id)) == 1

    await sweeper.remove_outputs()

    assert outputs_of(settings, buyer.account.id, execution.id) == []


async def test_draining_gives_a_run_back_whose_inputs_are_being_read(
    buyer: Buyer, blob_store: Faulty
) -> None:
    execution_id = await buyer.accept(sized(), LARGE)
    blob_store.hangs = True

    async def asks() -> bool:
        return bool(blob_store.asked)

    buyer.hands.walker.take(buyer.reference(execution_id))
    await eventually(asks)

    await buyer.hands.walker.drain(0)

    blob_store.hangs = False
    later = Hands(buyer.store, PlainPool(), buyer.models, worker_id=OTHER)
    later.walker.take(buyer.reference(execution_id))
    assert (await buyer.end(execution_id)).status is ExecutionStatus.COMPLETED
    await later.walker.drain(0)
