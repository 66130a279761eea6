"""A parked node whose execution is held for another node: by this walker, and by two."""

import asyncio

from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store import Store
from engine.store.children.keys import GroupRef
from engine.store.children.records import NewChild, WalkedChild
from engine.store.executions.advance import Step, Verdict
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested import each_row
from tests.support.workers.held_walker import HeldWalker

OTHER = "worker-2"
EACH = 1


def beside_a_call() -> Graph:
    """A For Each over two texts beside a call that waits at the gate."""
    graph = each_row().node("call", "httpRequest", url="https://example.com/")
    return graph.wire("call.response-out > out.result-in")


async def begin(runner: Runner, held_walker: HeldWalker) -> str:
    """Begin an execution, and wait until its For Each is parked and its call runs."""
    execution_id = await runner.begin(await runner.save(beside_a_call()))
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await held_walker.gate.called(1)

    async def is_parked() -> bool:
        record = await runner.store.walks.records(runner.account.id, execution_id)
        return record["statuses"][EACH : EACH + 1] == b"w"

    await eventually(is_parked)
    return execution_id


async def finish_children(runner: Runner, execution_id: str) -> None:
    """Have both children end, in the name of a feeder, which wakes the parent."""
    store, fields = runner.store, {"slug": "s", "version": 1, "key": "k", "source": "sub"}
    ref = GroupRef(runner.account.id, execution_id, EACH, execution_id)
    group = await store.children.find(ref)
    assert group is not None
    walked = [
        WalkedChild(
            new=NewChild(index=index, statuses="ccc", fields={**fields, "inputs": pack({})}),
            rows=b"",
            result=pack(index),
            plain=pack(index),
            size=1,
        )
        for index in range(2)
    ]
    assert await store.children.finish(group, walked, 1_000_000) == [0, 1]


async def test_a_walker_that_holds_a_parent_resumes_its_parked_node_at_a_hint(
    runner: Runner, held_walker: HeldWalker
) -> None:
    execution_id = await begin(runner, held_walker)
    await finish_children(runner, execution_id)

    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))

    async def status() -> NodeStatus:
        execution = await runner.store.executions.get(runner.account.id, execution_id)
        return execution.nodes[EACH].status

    await eventually(status, lambda found: found is NodeStatus.COMPLETED)
    held_walker.gate.opened.set()
    execution = await runner.end(execution_id)
    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.nodes[EACH].attempts == 1


async def test_a_walker_takes_over_a_parked_node_that_another_one_has_settled(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    execution_id = await begin(runner, held_walker)
    await finish_children(runner, execution_id)
    claimed = await store.walks.claim(keyspace.reference(runner.account.id, execution_id), OTHER)
    assert claimed is not None
    first = await store.walks.advance(claimed.lease, 1, Step(claimed=[EACH]))
    outputs = pack({"results-out": [0, 1], "errors-out": []})
    last = await store.walks.advance(
        claimed.lease,
        2,
        Step(
            settled=[(EACH, NodeStatus.COMPLETED)],
            rows=[NodeRow(EACH, 1, claimed.now, 0, None, outputs)],
            leave=True,
        ),
    )
    assert (first.verdict, last.verdict) == (Verdict.OK, Verdict.OK)

    held_walker.gate.opened.set()

    async with asyncio.timeout(20):  # nobody sends a hint here
        execution = await runner.end(execution_id)
    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == {"values": [[0, 1], "done"]}
