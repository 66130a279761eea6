"""A cancel of a root goes down all levels at once, and not a level with each look."""

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import child_execution_id
from engine.settings import Settings
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested_graphs import calling
from tests.support.http.scripted_server import Target
from workers.main import worker
from workers.recovery.duties.due_feeds import DueChildren

LEVELS = 4


async def no_look(self: DueChildren) -> bool:
    return False


async def test_all_levels_end_after_one_look(
    runner: Runner,
    store: Store,
    settings: Settings,
    target: Target,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = Graph("who").node("h", "httpRequest", url=f"{target.url}/slow/600", timeoutSeconds=600)
    graph.node("out", "responseOutput").wire("h.response-out > out.result-in")
    slug = await runner.save(graph)
    for _ in range(LEVELS):
        slug = await runner.save(calling(slug))
    account_id = runner.account.id

    async with worker(settings):
        root_id = await runner.begin(slug, {"who": "Ada"})

        async def slow() -> int:
            return target.slow

        await eventually(slow)

        looks, run = [1], DueChildren.run

        async def run_once(self: DueChildren) -> bool:
            return await run(self) if looks and looks.pop() else False

        monkeypatch.setattr(DueChildren, "run", no_look)
        await store.executions.cancel(account_id, root_id)
        ids = [root_id]
        for _ in range(LEVELS):
            ids.append(child_execution_id(ids[-1], "call", 0))
        assert (await store.executions.status(account_id, ids[-1])) is ExecutionStatus.PROCESSING
        monkeypatch.setattr(DueChildren, "run", run_once)  # one look of the sweeper is left

        async def statuses() -> list[ExecutionStatus]:
            return [await store.executions.status(account_id, each) for each in ids]

        cancelled = [ExecutionStatus.CANCELLED] * (LEVELS + 1)
        await eventually(statuses, lambda found: found == cancelled)
