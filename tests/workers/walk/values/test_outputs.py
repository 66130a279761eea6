"""Outputs too large for the record: offloaded before they count, or their node fails."""

import asyncio
import errno
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.executions.execution import Execution
from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.advance import Advanced, Charge, Step
from engine.store.executions.offload import PAUSES_SECONDS, make_name, make_part
from engine.store.executions.record_fields import parse_rows
from engine.store.executions.walks import Walks
from engine.store.redis.record_packing import pack
from engine.telemetry.metrics import REGISTRY
from tests.support.factories import Graph
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses, use
from tests.support.media.object_files import outputs_of
from tests.support.workers.paying_account import PRICE, PayingAccount, answer, model_node
from tests.support.workers.pruning import prune_all, remove_in_vain
from workers.recovery.duties.removal import LostOutputs
from workers.walk.values import outputs, sizes

LARGE = "x" * 300_000
OTHER = "worker-2"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_pauses(monkeypatch)


@pytest.fixture(autouse=True)
def talkative(payer: PayingAccount) -> None:
    payer.models.answers["one"] = LARGE


@pytest.fixture
def blob_store(store: Store, settings: Settings) -> Faulty:
    return use(store, Faulty(settings.media_url))


def bought(**data: object) -> Graph:
    """Return a graph: a charged node with a large answer, whose length is the result."""
    graph = model_node(Graph(), "one", **data)
    graph.node("size", "transform", expression="value == null ? 0 : size(value)")
    graph.wire("one.text-out > size.value-in").node("out", "responseOutput")
    return graph.wire("size.value-out > out.result-in")


def codes(execution: Execution) -> dict[int, str]:
    return {node.index: node.error["code"] for node in execution.nodes if node.error}


async def named(payer: PayingAccount, execution_id: str) -> list[str]:
    """Return the names in the record of an execution."""
    record = await payer.store.walks.records(payer.account.id, execution_id)
    return [row.outputs for row in parse_rows(record).values() if isinstance(row.outputs, str)]


async def left_by_another(payer: PayingAccount, graph: Graph, before: bytes | None = None) -> str:
    """Record the first node, with a large output, as another worker, which died.

    The output is a part of an object where there is data before it.
    """
    execution_id = await payer.accept(graph)
    claimed = await payer.store.walks.claim(payer.reference(execution_id), OTHER)
    assert claimed is not None
    ids, data = (payer.account.id, execution_id), pack({"text-out": LARGE})
    name = make_name(claimed.lease.object_prefix, 0, len(data) + len(before or b""))
    await payer.store.offloaded.put(*ids, name, (before or b"") + data)
    if before is not None:
        name = make_part(name, len(before), len(data))
    begun = Step(claimed=[0], reservations={0: PRICE})
    await payer.store.walks.advance(claimed.lease, 1, begun)
    settled = Step(
        settled=[(0, NodeStatus.COMPLETED)],
        rows=[NodeRow(0, 1, claimed.now, 1, None, name)],
        charges={0: Charge(PRICE, 10_000)},
        names_objects=True,
    )
    await payer.store.walks.advance(claimed.lease, 2, settled)
    await payer.store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    return execution_id


async def test_an_output_is_kept_before_the_step_that_names_it(
    payer: PayingAccount, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, dangling = Walks.advance, []

    async def checked(*args: Any) -> Advanced:
        outputs = (row.outputs for row in args[-1].rows)
        names = {each for each in outputs if isinstance(each, str)}
        dangling.append(names - {key.rpartition("/")[2] for key in blob_store.written})
        return await advance(*args)

    monkeypatch.setattr(Walks, "advance", checked)

    execution = await payer.run(bought())

    assert execution.result == len(LARGE)
    assert len(await named(payer, execution.id)) == 1
    assert set().union(*dangling) == set()


async def test_an_output_that_cannot_be_stored_fails_its_node_names_nothing_and_is_free(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    blob_store.left = 1_000
    before = REGISTRY.get_sample_value("headrace_storage_failures_total") or 0.0

    execution = await payer.run(bought())

    assert execution.status is ExecutionStatus.FAILED
    assert REGISTRY.get_sample_value("headrace_storage_failures_total") == before + 1
    assert codes(execution) == {0: "storage_error"}
    assert execution.error is not None and execution.error["nodeId"] == "one"
    assert await named(payer, execution.id) == []
    assert await payer.paid(0)


async def test_a_run_that_is_to_go_on_does_without_the_output(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    blob_store.left = 1_000

    execution = await payer.run(bought(onError="continue"))

    assert execution.status is ExecutionStatus.COMPLETED
    assert (execution.result, codes(execution)) == (0, {0: "storage_error"})
    assert await payer.paid(0)


async def test_a_result_that_cannot_be_stored_fails_the_node_that_answers(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    blob_store.refused = {1}

    execution = await payer.run(answer(model_node(Graph(), "one"), "one"))

    assert execution.status is ExecutionStatus.FAILED
    assert (codes(execution), execution.result) == ({1: "storage_error"}, None)
    assert await payer.paid(PRICE)


async def test_a_large_result_is_offloaded_and_read_back(
    payer: PayingAccount, settings: Settings
) -> None:
    execution = await payer.run(answer(model_node(Graph(), "one"), "one"))

    record = await payer.store.walks.records(payer.account.id, execution.id)
    assert execution.result == {"text": LARGE}
    assert sum(map(len, record.values())) < 2_000
    assert len(outputs_of(settings, payer.account.id, execution.id)) == 2


async def test_a_store_that_fails_for_a_moment_costs_no_node(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    blob_store.left = len(PAUSES_SECONDS)

    execution = await payer.run(bought())

    assert execution.status is ExecutionStatus.COMPLETED
    assert await payer.paid(PRICE)


async def test_a_folder_that_is_gone_fails_the_node(
    payer: PayingAccount, settings: Settings, tmp_path: Path
) -> None:
    folder = Path(urlsplit(settings.media_url).path)
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("no folder")

    execution = await payer.run(bought())

    assert codes(execution) == {0: "storage_error"}
    assert str(tmp_path) not in repr(execution)


@pytest.fixture
def small_files() -> Iterator[None]:
    """The system refuses to write more than 100 kB into a file, as a disk does that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_is_full_in_the_middle_of_a_file_fails_the_node(
    small_files: None, payer: PayingAccount, settings: Settings
) -> None:
    execution = await payer.run(bought())

    assert codes(execution) == {0: "storage_error"}
    assert await named(payer, execution.id) == []
    assert await payer.paid(0)
    assert outputs_of(settings, payer.account.id, execution.id) == []


@pytest.mark.parametrize(("failures", "paid"), [(1, PRICE), (1_000, 0)])
async def test_an_output_that_the_disk_does_not_confirm_is_written_again_or_not_named(
    payer: PayingAccount, monkeypatch: pytest.MonkeyPatch, failures: int, paid: int
) -> None:
    sync, left = os.fsync, [None] * failures

    def fails(descriptor: int) -> None:
        if left:
            left.pop()
            raise OSError(errno.EIO, "the disk's")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fails)

    execution = await payer.run(bought())

    assert len(await named(payer, execution.id)) == (1 if paid else 0)
    assert codes(execution) == ({} if paid else {0: "storage_error"})
    assert await payer.paid(paid)


async def test_a_slow_store_takes_no_more_than_the_nodes_time(
    payer: PayingAccount, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "LEAST_SECONDS", 0.05)
    blob_store.hangs = True
    before = asyncio.get_running_loop().time()

    execution = await payer.run(bought(timeoutSeconds=0.3))

    assert codes(execution) == {0: "storage_error"}
    assert 0.25 < asyncio.get_running_loop().time() - before < 20
    assert await payer.paid(0)


async def test_a_slow_store_holds_up_no_other_node(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    blob_store.hangs = True
    graph = answer(model_node(Graph("who"), "two"), "two")
    graph.node("t", "textBox", text="{{a}}{{a}}").wire("in.who > t.a")
    graph.wire("t.text-out > out.result-in")

    execution_id = await payer.begin(graph, {"who": "x" * 200_000})

    await payer.models.called(1)
    execution = await payer.store.executions.get(payer.account.id, execution_id)
    assert execution.status is ExecutionStatus.PROCESSING


async def test_cancelling_does_not_wait_for_a_slow_store(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    blob_store.hangs = True
    execution_id = await payer.begin(bought())
    await payer.models.called(1)

    await payer.store.executions.cancel(payer.account.id, execution_id)
    payer.held_walker.walker.cancel(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert execution.status is ExecutionStatus.CANCELLED
    assert await payer.paid(0)


@pytest.mark.parametrize("before", [None, b"", b"of another node"])
async def test_another_worker_reads_offloaded_outputs_of_a_dead_one(
    payer: PayingAccount, before: bytes | None
) -> None:
    execution_id = await left_by_another(payer, bought(), before)

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert execution.result == len(LARGE)
    assert payer.models.calls == []
    assert await payer.paid(PRICE)


async def test_a_lost_output_fails_the_node_that_needs_it(
    payer: PayingAccount, settings: Settings
) -> None:
    execution_id = await left_by_another(payer, bought())
    outputs_of(settings, payer.account.id, execution_id)[0].unlink()

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert codes(execution) == {1: "storage_error"}
    assert execution.nodes[0].status is NodeStatus.COMPLETED
    assert execution.error is not None and "'one'" in execution.error["reason"]
    assert payer.models.calls == []


async def test_an_unreadable_output_is_null_where_the_run_is_to_go_on(
    payer: PayingAccount, blob_store: Faulty
) -> None:
    graph = bought()
    graph.nodes[1]["data"]["onError"] = "continue"
    execution_id = await left_by_another(payer, graph)
    blob_store.left = 1_000

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert (execution.result, codes(execution)) == (None, {1: "storage_error"})


async def test_an_unneeded_output_is_not_read(payer: PayingAccount, blob_store: Faulty) -> None:
    execution_id = await left_by_another(payer, bought())
    claimed = await payer.store.walks.claim(payer.reference(execution_id), OTHER)
    assert claimed is not None
    row = NodeRow(1, 1, claimed.now, 1, None, pack({"value-out": 7}))
    step = Step(settled=[(1, NodeStatus.COMPLETED)], rows=[row], leave=True)
    await payer.store.walks.advance(claimed.lease, 1, step)

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert (execution.status, execution.result) == (ExecutionStatus.COMPLETED, 7)
    assert blob_store.asked == []


async def test_pruned_executions_take_their_objects_along(
    payer: PayingAccount, settings: Settings, store: Store
) -> None:
    ids = [(await payer.run(bought())).id for _ in range(3)]
    kept = [outputs_of(settings, payer.account.id, each) for each in ids]

    left_outputs = await prune_all(store)
    await left_outputs.run()

    assert [len(each) for each in kept] == [1, 1, 1]
    assert [outputs_of(settings, payer.account.id, each) for each in ids] == [[], [], []]


async def test_outputs_of_a_lost_step_are_removed_when_its_execution_is_gone(
    payer: PayingAccount, settings: Settings, store: Store
) -> None:
    execution = await payer.run(answer(model_node(Graph(), "two"), "two"))
    await store.offloaded.put(payer.account.id, execution.id, make_name("9-t", 0, 1), b"x")
    await prune_all(store)
    assert len(outputs_of(settings, payer.account.id, execution.id)) == 1

    await LostOutputs(store).run()

    assert outputs_of(settings, payer.account.id, execution.id) == []


async def test_outputs_that_could_not_be_removed_at_once_are_removed_later(
    payer: PayingAccount, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await payer.run(bought())
    left_outputs = await prune_all(store)
    await remove_in_vain(left_outputs, store, monkeypatch)
    assert len(outputs_of(settings, payer.account.id, execution.id)) == 1

    await left_outputs.run()

    assert outputs_of(settings, payer.account.id, execution.id) == []


async def test_an_output_that_does_not_fit_the_record_is_offloaded_though_it_is_not_large(
    payer: PayingAccount, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "RECORD_BYTES", 100_000)
    graph = Graph("who").node("out", "responseOutput")
    for number in range(30):
        graph.node(f"t{number}", "textBox", text="{{a}}{{a}}")
        graph.wire(f"in.who > t{number}.a", f"t{number}.text-out > out.result-in")

    execution = await payer.run(graph, {"who": "x" * 5_000})

    assert [len(text) for text in execution.result["texts"]] == [10_000] * 30
    named_objects = await named(payer, execution.id)
    assert 20 <= len(named_objects) <= 22
    assert len(blob_store.written) <= 4  # those that came while one was written, and the result
