"""Outputs too large for the record: kept aside before they count, or their node has failed."""

import asyncio
import errno
import math
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.executions.execution import Execution, ExecutionStatus, NodeStatus
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.offload import PAUSES_SECONDS, NoBlobStore, make_name, make_part
from engine.store.executions.records import parse_rows
from engine.store.executions.steps import Charge, Step
from engine.store.executions.walks import Advanced, Walks
from engine.store.redis.records import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses, use
from tests.support.media.object_files import outputs_of
from tests.support.workers.paying_account import PRICE, Buyer, answer, model_node
from workers.recovery.sweeper import Sweeper
from workers.walk import outputs, sizes

LARGE = "x" * 300_000
OTHER = "worker-2"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_pauses(monkeypatch)


@pytest.fixture(autouse=True)
def talkative(buyer: Buyer) -> None:
    buyer.models.answers["one"] = LARGE


@pytest.fixture
def blob_store(store: Store, settings: Settings) -> Faulty:
    return use(store, Faulty(settings.media_url))


def bought(**data: object) -> Graph:
    """A charged node with a large answer, whose length is the result."""
    graph = model_node(Graph(), "one", **data)
    graph.node("size", "transform", expression="value == null ? 0 : size(value)")
    graph.wire("one.text-out > size.value-in").node("out", "responseOutput")
    return graph.wire("size.value-out > out.result-in")


def codes(execution: Execution) -> dict[int, str]:
    return {node.index: node.error["code"] for node in execution.nodes if node.error}


async def named(buyer: Buyer, execution_id: str) -> list[str]:
    """What the record of an execution names."""
    record = await buyer.store.walks.records(buyer.account.id, execution_id)
    return [row[5] for row in parse_rows(record).values() if isinstance(row[5], str)]


async def left_by_another(buyer: Buyer, graph: Graph, before: bytes | None = None) -> str:
    """Another worker has recorded the first node, with a large output, and died.

    The output is a part of an object where it has something before it.
    """
    execution_id = await buyer.accept(graph)
    claimed = await buyer.store.walks.claim(buyer.reference(execution_id), OTHER)
    assert claimed is not None
    ids, data = (buyer.account.id, execution_id), pack({"text-out": LARGE})
    name = make_name(claimed.lease.object_prefix, 0, len(data) + len(before or b""))
    await buyer.store.offloaded.put(*ids, name, (before or b"") + data)
    if before is not None:
        name = make_part(name, len(before), len(data))
    begun = Step(claimed=[0], reservations={0: PRICE})
    await buyer.store.walks.advance(claimed.lease, 1, begun)
    settled = Step(
        settled=[(0, NodeStatus.COMPLETED)],
        rows=[[0, 1, claimed.now, 1, None, name]],
        charges={0: Charge(PRICE, 10_000)},
        names_objects=True,
    )
    await buyer.store.walks.advance(claimed.lease, 2, settled)
    await buyer.store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    return execution_id


async def test_an_output_is_kept_before_the_step_that_names_it(
    buyer: Buyer, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, dangling = Walks.advance, []

    async def checked(*args: Any) -> Advanced:
        names = {row[5] for row in args[-1].rows if isinstance(row[5], str)}
        dangling.append(names - {key.rpartition("/")[2] for key in blob_store.written})
        return await advance(*args)

    monkeypatch.setattr(Walks, "advance", checked)

    execution = await buyer.run(bought())

    assert execution.result == len(LARGE)
    assert len(await named(buyer, execution.id)) == 1
    assert set().union(*dangling) == set()


async def test_an_output_that_cannot_be_stored_fails_its_node_names_nothing_and_is_free(
    buyer: Buyer, blob_store: Faulty
) -> None:
    blob_store.left = 1_000

    execution = await buyer.run(bought())

    assert execution.status is ExecutionStatus.FAILED
    assert codes(execution) == {0: "storage_error"}
    assert execution.error is not None and execution.error["nodeId"] == "one"
    assert await named(buyer, execution.id) == []
    assert await buyer.paid(0)


async def test_where_the_run_is_to_go_on_it_does_without_the_output(
    buyer: Buyer, blob_store: Faulty
) -> None:
    blob_store.left = 1_000

    execution = await buyer.run(bought(onError="continue"))

    assert execution.status is ExecutionStatus.COMPLETED
    assert (execution.result, codes(execution)) == (0, {0: "storage_error"})
    assert await buyer.paid(0)


async def test_a_result_that_cannot_be_stored_fails_the_node_that_answers(
    buyer: Buyer, blob_store: Faulty
) -> None:
    blob_store.refused = {1}

    execution = await buyer.run(answer(model_node(Graph(), "one"), "one"))

    assert execution.status is ExecutionStatus.FAILED
    assert (codes(execution), execution.result) == ({1: "storage_error"}, None)
    assert await buyer.paid(PRICE)


async def test_a_large_result_is_kept_aside_and_comes_back(
    buyer: Buyer, settings: Settings
) -> None:
    execution = await buyer.run(answer(model_node(Graph(), "one"), "one"))

    record = await buyer.store.walks.records(buyer.account.id, execution.id)
    assert execution.result == {"text": LARGE}
    assert sum(map(len, record.values())) < 2_000
    assert len(outputs_of(settings, buyer.account.id, execution.id)) == 2


async def test_a_store_that_fails_for_a_moment_costs_no_node(
    buyer: Buyer, blob_store: Faulty
) -> None:
    blob_store.left = len(PAUSES_SECONDS)

    execution = await buyer.run(bought())

    assert execution.status is ExecutionStatus.COMPLETED
    assert await buyer.paid(PRICE)


async def test_a_folder_that_is_gone_fails_the_node(
    buyer: Buyer, settings: Settings, tmp_path: Path
) -> None:
    folder = Path(urlsplit(settings.media_url).path)
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("no folder")

    execution = await buyer.run(bought())

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
    small_files: None, buyer: Buyer, settings: Settings
) -> None:
    execution = await buyer.run(bought())

    assert codes(execution) == {0: "storage_error"}
    assert await named(buyer, execution.id) == []
    assert await buyer.paid(0)
    assert outputs_of(settings, buyer.account.id, execution.id) == []


@pytest.mark.parametrize(("failures", "paid"), [(1, PRICE), (1_000, 0)])
async def test_an_output_that_the_disk_does_not_confirm_is_written_again_or_not_named(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch, failures: int, paid: int
) -> None:
    sync, left = os.fsync, [None] * failures

    def fails(descriptor: int) -> None:
        if left:
            left.pop()
            raise OSError(errno.EIO, "the disk's")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fails)

    execution = await buyer.run(bought())

    assert len(await named(buyer, execution.id)) == (1 if paid else 0)
    assert codes(execution) == ({} if paid else {0: "storage_error"})
    assert await buyer.paid(paid)


async def test_a_slow_store_takes_no_more_than_the_nodes_time(
    buyer: Buyer, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "LEAST_SECONDS", 0.05)
    blob_store.hangs = True
    before = asyncio.get_running_loop().time()

    execution = await buyer.run(bought(timeoutSeconds=0.3))

    assert codes(execution) == {0: "storage_error"}
    assert 0.25 < asyncio.get_running_loop().time() - before < 20
    assert await buyer.paid(0)


async def test_a_slow_store_holds_up_no_other_node(buyer: Buyer, blob_store: Faulty) -> None:
    blob_store.hangs = True
    graph = answer(model_node(Graph("who"), "two"), "two")
    graph.node("t", "textBox", text="{{a}}{{a}}").wire("in.who > t.a")
    graph.wire("t.text-out > out.result-in")

    execution_id = await buyer.begin(graph, {"who": "x" * 200_000})

    await buyer.models.called(1)
    execution = await buyer.store.executions.get(buyer.account.id, execution_id)
    assert execution.status is ExecutionStatus.PROCESSING


async def test_cancelling_does_not_wait_for_a_slow_store(buyer: Buyer, blob_store: Faulty) -> None:
    blob_store.hangs = True
    execution_id = await buyer.begin(bought())
    await buyer.models.called(1)

    await buyer.store.executions.cancel(buyer.account.id, execution_id)
    buyer.hands.walker.cancel(buyer.reference(execution_id))
    execution = await buyer.end(execution_id)

    assert execution.status is ExecutionStatus.CANCELLED
    assert await buyer.paid(0)


@pytest.mark.parametrize("before", [None, b"", b"of another node"])
async def test_another_worker_reads_what_one_that_died_has_kept(
    buyer: Buyer, before: bytes | None
) -> None:
    execution_id = await left_by_another(buyer, bought(), before)

    buyer.hands.walker.take(buyer.reference(execution_id))
    execution = await buyer.end(execution_id)

    assert execution.result == len(LARGE)
    assert buyer.models.calls == []
    assert await buyer.paid(PRICE)


async def test_what_is_gone_fails_the_node_that_needs_it(buyer: Buyer, settings: Settings) -> None:
    execution_id = await left_by_another(buyer, bought())
    outputs_of(settings, buyer.account.id, execution_id)[0].unlink()

    buyer.hands.walker.take(buyer.reference(execution_id))
    execution = await buyer.end(execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert codes(execution) == {1: "storage_error"}
    assert execution.nodes[0].status is NodeStatus.COMPLETED
    assert execution.error is not None and "'one'" in execution.error["reason"]
    assert buyer.models.calls == []


async def test_what_cannot_be_read_is_null_where_the_run_is_to_go_on(
    buyer: Buyer, blob_store: Faulty
) -> None:
    graph = bought()
    graph.nodes[1]["data"]["onError"] = "continue"
    execution_id = await left_by_another(buyer, graph)
    blob_store.left = 1_000

    buyer.hands.walker.take(buyer.reference(execution_id))
    execution = await buyer.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert (execution.result, codes(execution)) == (None, {1: "storage_error"})


async def test_what_nobody_needs_any_more_is_not_read(buyer: Buyer, blob_store: Faulty) -> None:
    execution_id = await left_by_another(buyer, bought())
    claimed = await buyer.store.walks.claim(buyer.reference(execution_id), OTHER)
    assert claimed is not None
    row = [1, 1, claimed.now, 1, None, pack({"value-out": 7})]
    step = Step(settled=[(1, NodeStatus.COMPLETED)], rows=[row], leave=True)
    await buyer.store.walks.advance(claimed.lease, 1, step)

    buyer.hands.walker.take(buyer.reference(execution_id))
    execution = await buyer.end(execution_id)

    assert (execution.status, execution.result) == (ExecutionStatus.COMPLETED, 7)
    assert blob_store.asked == []


async def test_a_pruned_execution_takes_its_objects_along(
    buyer: Buyer, settings: Settings, store: Store
) -> None:
    execution = await buyer.run(bought())
    sweeper = Sweeper(store, "me", lease_seconds=3, retention_days=0)
    sweeper._sweep_after = math.inf
    kept = outputs_of(settings, buyer.account.id, execution.id)

    await eventually(sweeper.prune)
    await sweeper.remove_outputs()

    assert len(kept) == 1
    assert outputs_of(settings, buyer.account.id, execution.id) == []


async def test_what_a_lost_step_left_is_found_when_its_execution_is_gone(
    buyer: Buyer, settings: Settings, store: Store
) -> None:
    execution = await buyer.run(answer(model_node(Graph(), "two"), "two"))
    await store.offloaded.put(buyer.account.id, execution.id, make_name("9-t", 0, 1), b"x")
    sweeper = Sweeper(store, "me", lease_seconds=3, retention_days=0)
    await eventually(sweeper.prune)
    assert len(outputs_of(settings, buyer.account.id, execution.id)) == 1

    await sweeper.remove_outputs()

    assert outputs_of(settings, buyer.account.id, execution.id) == []


async def test_what_could_not_be_removed_at_once_is_removed_later(
    buyer: Buyer, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await buyer.run(bought())
    sweeper = Sweeper(store, "me", lease_seconds=3, retention_days=0)
    sweeper._sweep_after = math.inf
    await eventually(sweeper.prune)
    with monkeypatch.context() as patch:
        patch.setattr(store.offloaded, "_blob_store", NoBlobStore())
        await sweeper.remove_outputs()
    assert len(outputs_of(settings, buyer.account.id, execution.id)) == 1

    await sweeper.remove_outputs()

    assert outputs_of(settings, buyer.account.id, execution.id) == []


async def test_what_the_record_has_no_room_for_is_kept_aside_though_it_is_not_large(
    buyer: Buyer, blob_store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "RECORD_BYTES", 100_000)
    graph = Graph("who").node("out", "responseOutput")
    for number in range(30):
        graph.node(f"t{number}", "textBox", text="{{a}}{{a}}")
        graph.wire(f"in.who > t{number}.a", f"t{number}.text-out > out.result-in")

    execution = await buyer.run(graph, {"who": "x" * 5_000})

    assert [len(text) for text in execution.result["texts"]] == [10_000] * 30
    named_aside = await named(buyer, execution.id)
    assert 20 <= len(named_aside) <= 22
    assert len(blob_store.written) <= 4  # those that came while one was written, and the result
