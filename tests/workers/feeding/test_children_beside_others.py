"""Lists of one account beside runs of others, on a whole worker in this process."""

import asyncio

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import Store
from engine.store.children.keys import GroupRef
from tests.support.factories import Graph, Runner, greeting
from tests.support.graphs.nested_graphs import per_item
from tests.support.http.scripted_server import Target
from workers.main import worker

GREEDY_RUNS = 12
GREEDY_ITEMS = 300
NODE = 1
"""Index of the node with the children."""


def call(url: str) -> Graph:
    """One call with the item in its query."""
    graph = Graph("who").node("h", "httpRequest", url=f"{url}?n={{{{ who }}}}")
    graph.node("out", "responseOutput")
    return graph.wire("in.who > h.who", "h.response-out > out.result-in")


def numbers(count: int) -> dict[str, list[str]]:
    return {"items": [f"{index}" for index in range(count)]}


class GreedyAccount:
    """An account with many long lists, which run 100 items at once each."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.ids: list[str] = []

    async def begin(self, body: Graph) -> None:
        slug = await self.runner.save(per_item(body, concurrency=100))
        self.ids = [
            await self.runner.begin(slug, numbers(GREEDY_ITEMS)) for _ in range(GREEDY_RUNS)
        ]

    async def unfinished(self) -> int:
        """Return the number of children that wait or run."""
        left = 0
        for root_id in self.ids:
            ref = GroupRef(self.runner.account.id, root_id, NODE, root_id)
            group = await self.runner.store.children.find(ref)
            left += GREEDY_ITEMS if group is None else sum(c in "qp" for c in group.states)
        return left


async def greedy_account(store: Store, runner: Runner) -> GreedyAccount:
    account = await store.accounts.create(email="greedy@example.com", tier=Tier.ENTERPRISE)
    return GreedyAccount(Runner(store, account, runner.notifier))


async def test_a_list_does_not_wait_for_the_many_of_another_account(
    runner: Runner, store: Store, settings: Settings, target: Target
) -> None:
    greedy = await greedy_account(store, runner)
    await greedy.begin(call(f"{target.url}/slow/0.2"))
    slug = await runner.save(per_item(call(f"{target.url}/echo")))

    async with worker(settings):
        while target.slow < 100:
            await asyncio.sleep(0.01)
        ended = await runner.end(await runner.begin(slug, numbers(20)), 60)
        left = await greedy.unfinished()

    assert ended.status is ExecutionStatus.COMPLETED, ended.error
    assert len(ended.result["results"]) == 20
    assert left > GREEDY_RUNS * GREEDY_ITEMS / 2


async def test_a_run_does_not_wait_for_the_lists_of_another_account(
    runner: Runner, store: Store, settings: Settings, target: Target
) -> None:
    greedy = await greedy_account(store, runner)
    await greedy.begin(call(f"{target.url}/slow/0.2"))
    slug = await runner.save(greeting())

    async with worker(settings):
        while target.slow < 100:
            await asyncio.sleep(0.01)
        for _ in range(10):
            ended = await runner.end(await runner.begin(slug, {"who": "Ada"}), 60)
            assert ended.status is ExecutionStatus.COMPLETED
        left = await greedy.unfinished()

    assert left > GREEDY_RUNS * GREEDY_ITEMS / 2
