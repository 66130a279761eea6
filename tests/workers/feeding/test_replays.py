"""Replays on a whole worker: they settle by themselves, and their draft is the one of the start."""

from collections.abc import Sequence
from typing import Any

import pytest

from engine.executions.batches import LIST_CONCURRENCY, BatchKind, BatchStatus
from engine.executions.replays import ReplayCalls
from engine.graph.document import RecordValues
from engine.graph.draft_graph import DraftGraph
from engine.ids.executions import item_execution_id
from engine.releases.aliases import DRAFT
from engine.services.replays.replay_facts import (
    EXECUTION,
    GRAPH,
    VALUES,
    ReplayFacts,
)
from engine.settings import Settings
from engine.store import NewItem
from engine.store.batches.records import NewBatch
from engine.store.redis.record_packing import pack
from tests.support.factories import Graph, Runner, greeting
from tests.support.store.batch_runs import BatchRuns
from workers.main import worker
from workers.walk.walker import Walker


@pytest.fixture
def batches(runner: Runner) -> BatchRuns:
    return BatchRuns(runner)


def dear() -> Graph:
    graph = Graph("who").node("t0", "textBox", text="Dear {{a}}").wire("in.who > t0.a")
    return graph.node("out", "responseOutput").wire("t0.text-out > out.result-in")


async def ran(runner: Runner, slug: str, count: int) -> list[str]:
    """Run a workflow; return the executions."""
    ids = [await runner.begin(slug, {"who": f"number {index}"}) for index in range(count)]
    return [(await runner.end(each)).id for each in ids]


async def begin(
    batches: BatchRuns, slug: str, ids: Sequence[str], draft: Graph | None = None, **facts: Any
) -> str:
    """Begin a replay on a draft, or on version 1; return its id."""
    against = DRAFT if draft else "1"
    replay = ReplayFacts(against=against, calls=ReplayCalls.RECORDED)
    values = {}
    if draft is not None:
        graph = DraftGraph(nodes=draft.nodes, edges=draft.edges)
        values = {GRAPH: pack(graph.as_record())}
    new = NewBatch(
        account_id=batches.account_id,
        slug=slug,
        version=0 if draft else 1,
        items=[NewItem({EXECUTION: each}) for each in ids],
        kind=BatchKind.REPLAY,
        concurrency=LIST_CONCURRENCY,
        facts={**replay.fields, **facts},
        values=values,
    )
    await batches.store.batches.add(new)
    return new.batch_id


async def test_a_replay_of_a_version_settles_by_itself(
    runner: Runner, batches: BatchRuns, walker: Walker
) -> None:
    slug = await runner.save(greeting())
    ids = await ran(runner, slug, 6)

    replay_id = await begin(batches, slug, ids)
    ended = await batches.wait_settled(replay_id)

    assert ended.status is BatchStatus.COMPLETED
    codes = await batches.store.lists.verdict_codes(batches.account_id, replay_id)
    assert codes == "ssssss"
    record = await batches.record(replay_id, 0)
    assert (record["source"], record["calls"]) == (b"replay", b"recorded")
    assert "webhook_url" not in record


async def test_a_replay_of_a_draft_keeps_it_until_all_items_are_over(
    runner: Runner, batches: BatchRuns, walker: Walker
) -> None:
    slug = await runner.save(greeting())
    ids = await ran(runner, slug, 3)

    replay_id = await begin(batches, slug, ids, dear(), **{VALUES: RecordValues.NONE.value})
    await batches.wait_settled(replay_id)

    lists = batches.store.lists
    assert await lists.verdict_codes(batches.account_id, replay_id) == "ddd"
    [verdict] = (await lists.verdicts(batches.account_id, replay_id, [2])).values()
    assert verdict["changes"] == [["result.text", "Hello number 2", "Dear number 2"]]
    assert await lists.value(batches.account_id, replay_id, GRAPH) is None
    record = await batches.record(replay_id, 0)
    assert (record["values"], "dropped" in record) == (b"none", True)


async def test_each_run_is_replayed_once_by_two_workers_of_which_one_goes(
    runner: Runner, batches: BatchRuns, settings: Settings
) -> None:
    slug = await runner.save(greeting())
    async with worker(settings):
        ids = await ran(runner, slug, 30)
        async with worker(settings):
            replay_id = await begin(batches, slug, ids)
            await batches.wait_begun(replay_id, 8)
        ended = await batches.wait_settled(replay_id)

    assert ended.counts.completed == 30
    new = {item_execution_id(replay_id, index) for index in range(30)}
    assert await batches.execution_ids() == new.union(ids)
    codes = await batches.store.lists.verdict_codes(batches.account_id, replay_id)
    assert codes == "s" * 30


async def test_an_item_whose_execution_is_gone_fails(
    runner: Runner, batches: BatchRuns, walker: Walker
) -> None:
    slug = await runner.save(greeting())
    ids = await ran(runner, slug, 1)

    replay_id = await begin(batches, slug, [*ids, "00000000-0000-4000-8000-000000000000"])
    ended = await batches.wait_settled(replay_id)

    assert ended.counts.failed == 1
    codes = await batches.store.lists.verdict_codes(batches.account_id, replay_id)
    assert codes == "sf"
