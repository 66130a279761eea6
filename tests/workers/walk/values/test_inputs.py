"""Walks of executions with offloaded inputs."""

import pytest

from engine.executions.execution import Execution
from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.advance import Step
from engine.store.executions.record_fields import parse_rows
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses, use
from tests.support.media.object_files import outputs_of
from tests.support.workers.held_walker import HeldWalker
from tests.support.workers.paying_account import PRICE, PayingAccount, PlainPool, answer, model_node
from tests.support.workers.pruning import prune_all, remove_in_vain
from workers.walk.values import inputs as large_inputs

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
    """Return a graph whose result is the length of the input and the answer of a model."""
    graph = model_node(Graph("who"), "one")
    graph.node("size", "transform", expression="size(value)").wire("in.who > size.value-in")
    return answer(graph, "one").wire("size.value-out > out.result-in")


RESULT = {"texts": ["<one>"], "values": [300_000]}


async def walk(payer: PayingAccount, execution_id: str) -> Execution:
    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    return await payer.end(execution_id)


async def given_back(payer: PayingAccount, execution_id: str) -> None:
    """Wait until the worker has given the execution back."""

    async def has_task() -> bool:
        return payer.held_walker.walker.has_task(payer.reference(execution_id))

    await eventually(has_task, lambda found: not found)


async def test_large_inputs_are_read_once_and_written_no_second_time(
    payer: PayingAccount, blob_store: Faulty, settings: Settings
) -> None:
    execution = await payer.run(sized(), LARGE)

    (file,) = outputs_of(settings, payer.account.id, execution.id)
    assert {key: execution.result[key] for key in RESULT} == RESULT
    assert [key.rpartition("/")[2] for key in blob_store.asked] == [file.name]
    assert [key.rpartition("/")[2] for key in blob_store.written] == [file.name]
    record = await payer.store.walks.records(payer.account.id, execution.id)
    assert sum(map(len, record.values())) < 2_000
    outputs = [row.outputs for row in parse_rows(record).values()]
    assert [each for each in outputs if isinstance(each, str)] == [file.name]


async def test_they_count_in_the_memory_of_the_worker_before_they_are_read(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    execution_id = await payer.accept(sized(), LARGE)
    blob_store.hangs = True

    payer.held_walker.walker.take_hint(payer.reference(execution_id))

    async def is_asked() -> bool:
        return bool(blob_store.asked)

    await eventually(is_asked)
    assert payer.held_walker.walker.memory.used >= len(LARGE["who"])


async def test_they_count_in_the_limit_of_a_run_as_others_do(payer: PayingAccount) -> None:
    graph = Graph("who").node("t", "textBox", text="{{a}}").wire("in.who > t.a")
    graph.node("size", "transform", expression="size(value)").wire("t.text-out > size.value-in")
    graph.node("out", "responseOutput").wire("size.value-out > out.result-in")

    within = await payer.run(graph, {"who": "x" * 450_000})
    over = await payer.run(graph, {"who": "x" * 550_000})  # twice, and the limit is 1 MB

    assert within.status is ExecutionStatus.COMPLETED
    assert over.error is not None and over.error["nodeCode"] == "run_too_large"


async def test_a_place_that_cannot_be_read_for_a_while_costs_no_run(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    execution_id = await payer.accept(sized(), LARGE)
    blob_store.left = 1_000

    for _ in range(10):  # more often than a run may be lost
        payer.held_walker.walker.take_hint(payer.reference(execution_id))
        await given_back(payer, execution_id)
    unread = await payer.store.executions.get(payer.account.id, execution_id)
    blob_store.left = 0
    execution = await walk(payer, execution_id)

    assert unread.status is ExecutionStatus.PROCESSING
    assert {node.status for node in unread.nodes} == {NodeStatus.PENDING}
    assert execution.status is ExecutionStatus.COMPLETED
    assert await payer.paid(PRICE)


async def test_an_execution_with_unreadable_inputs_is_due_again_after_a_pause(
    payer: PayingAccount, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.walk.walker.UNREAD_PAUSE_MS", 60_000)
    execution_id = await payer.accept(sized(), LARGE)
    blob_store.left = 1_000
    seconds, _ = await payer.store.client.send("TIME")

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    await given_back(payer, execution_id)

    due = keyspace.due(partition_of(payer.account.id))
    at = await payer.store.client.send("ZSCORE", due, payer.reference(execution_id))
    assert float(at) >= (int(seconds) + 60) * 1000


async def test_inputs_that_stay_unreadable_end_the_run_with_an_error_and_cost_nothing(
    payer: PayingAccount, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await payer.accept(sized(), LARGE)
    blob_store.left = 1_000
    monkeypatch.setattr(large_inputs, "UNREAD_MS", 0)

    execution = await walk(payer, execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error == {
        "code": "INTERNAL_ERROR",
        "message": large_inputs.UNREAD_INPUTS.unread,
        "reason": large_inputs.UNREAD_INPUTS.unread,
    }
    assert await payer.paid(0)


async def test_inputs_that_are_gone_end_the_run_at_once_with_a_clear_error(
    payer: PayingAccount, settings: Settings
) -> None:
    execution_id = await payer.accept(sized(), LARGE)
    outputs_of(settings, payer.account.id, execution_id)[0].unlink()

    execution = await walk(payer, execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["message"] == "The inputs of this execution are not there any more"
    assert payer.models.calls == []
    assert await payer.paid(0)


async def test_damaged_inputs_are_as_good_as_gone(payer: PayingAccount, settings: Settings) -> None:
    execution_id = await payer.accept(sized(), LARGE)
    outputs_of(settings, payer.account.id, execution_id)[0].write_bytes(b"short")

    execution = await walk(payer, execution_id)

    assert (
        execution.error is not None
        and execution.error["message"] == large_inputs.UNREAD_INPUTS.gone
    )


async def test_a_slow_place_holds_up_no_other_run_and_no_slot_for_computing(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    slow = await payer.accept(sized(), LARGE)
    blob_store.hangs = True

    async def begins_no_other() -> bool:
        return await payer.held_walker.load_gate.wait_quiet(0) < idle

    idle = await payer.held_walker.load_gate.wait_quiet(0)
    payer.held_walker.walker.take_hint(payer.reference(slow))
    assert await begins_no_other()
    await eventually(begins_no_other, lambda found: not found)

    execution = await payer.run(answer(model_node(Graph(), "two"), "two"))

    assert execution.status is ExecutionStatus.COMPLETED
    assert payer.held_walker.walker.has_task(payer.reference(slow))


async def test_a_run_that_was_cancelled_before_needs_no_inputs(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    execution_id = await payer.accept(sized(), LARGE)
    claimed = await payer.store.walks.claim(payer.reference(execution_id), OTHER)
    assert claimed is not None
    await payer.store.executions.cancel(payer.account.id, execution_id)
    await payer.store.walks.give_back(payer.reference(execution_id), OTHER, is_lost=True)
    blob_store.left = 1_000

    execution = await walk(payer, execution_id)

    assert execution.status is ExecutionStatus.CANCELLED
    assert blob_store.asked == []


async def left_by_another(payer: PayingAccount, graph: Graph, *, settled: int) -> str:
    """Record the form and some nodes behind it as another worker, which died."""
    execution_id = await payer.accept(graph, LARGE)
    claimed = await payer.store.walks.claim(payer.reference(execution_id), OTHER)
    assert claimed is not None
    done = [(index, NodeStatus.COMPLETED) for index in range(1 + settled)]
    outputs = [claimed.inputs_name, *(pack({"text-out": "seen"}) for _ in range(settled))]
    rows = [NodeRow(i, 1, claimed.now, 1, None, outputs[i]) for i, _ in done]
    step = Step(settled=done, rows=rows, names_objects=True)
    await payer.store.walks.advance(claimed.lease, 1, step)
    await payer.store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    return execution_id


def chain() -> Graph:
    graph = Graph("who").node("a", "textBox", text="<{{w}}>").wire("in.who > a.w")
    return graph.node("out", "responseOutput").wire("a.text-out > out.result-in")


async def test_another_worker_reads_the_inputs_of_a_dead_one(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    execution_id = await left_by_another(payer, chain(), settled=0)
    blob_store.left = 1_000
    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    await given_back(payer, execution_id)
    blob_store.left = 0

    execution = await walk(payer, execution_id)

    assert execution.result == {"text": f"<{LARGE['who']}>"}


async def test_another_worker_derives_the_forms_outputs_from_them(payer: PayingAccount) -> None:
    graph = Graph().node("in", "requestInput", fields=[{"name": "who", "type": "json"}])
    graph.node("out", "responseOutput").wire("in.params > out.result-in")
    execution_id = await left_by_another(payer, graph, settled=0)

    execution = await walk(payer, execution_id)

    assert execution.result == LARGE


async def test_inputs_that_no_node_needs_any_more_are_not_read(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    execution_id = await left_by_another(payer, chain(), settled=1)
    blob_store.hangs = True

    execution = await walk(payer, execution_id)

    assert execution.result == {"text": "seen"}


async def test_two_workers_at_one_run_have_the_same_inputs(
    payer: PayingAccount, store: Store
) -> None:
    second = HeldWalker(store, PlainPool(), payer.models, worker_id=OTHER)
    execution_id = await payer.accept(sized(), LARGE)

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    second.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert {key: execution.result[key] for key in RESULT} == RESULT
    assert await payer.paid(PRICE)
    await second.walker.drain(0)


async def test_a_forgotten_execution_takes_its_inputs_along(
    payer: PayingAccount, settings: Settings, store: Store
) -> None:
    execution = await payer.run(sized(), LARGE)
    left_outputs = await prune_all(store)
    kept = outputs_of(settings, payer.account.id, execution.id)

    await left_outputs.run()

    assert len(kept) == 1
    assert outputs_of(settings, payer.account.id, execution.id) == []


async def test_an_execution_that_was_never_walked_takes_its_inputs_along(
    payer: PayingAccount, settings: Settings, store: Store
) -> None:
    execution_id = await payer.accept(sized(), LARGE)
    await store.executions.cancel(payer.account.id, execution_id)
    left_outputs = await prune_all(store)

    await left_outputs.run()

    assert outputs_of(settings, payer.account.id, execution_id) == []


async def test_inputs_that_cannot_be_removed_at_once_are_removed_later(
    payer: PayingAccount, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await payer.run(sized(), LARGE)
    left_outputs = await prune_all(store)
    await remove_in_vain(left_outputs, store, monkeypatch)
    assert len(outputs_of(settings, payer.account.id, execution.id)) == 1

    await left_outputs.run()

    assert outputs_of(settings, payer.account.id, execution.id) == []


async def test_draining_gives_a_run_back_whose_inputs_are_being_read(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    execution_id = await payer.accept(sized(), LARGE)
    blob_store.hangs = True

    async def asks() -> bool:
        return bool(blob_store.asked)

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    await eventually(asks)

    await payer.held_walker.walker.drain(0)

    blob_store.hangs = False
    later = HeldWalker(payer.store, PlainPool(), payer.models, worker_id=OTHER)
    later.walker.take_hint(payer.reference(execution_id))
    assert (await payer.end(execution_id)).status is ExecutionStatus.COMPLETED
    await later.walker.drain(0)
