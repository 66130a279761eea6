"""Children of pure nodes, walked in lots."""

import asyncio

from engine.graph.draft_graph import DraftGraph
from engine.services.runs.pure_children import AT_ONCE, walk_all
from engine.store.children.records import NewChild
from engine.store.redis.record_packing import pack
from tests.support.factories import greeting
from workers.walk.fast.pure_children import walk_pure

CHILDREN = 50


async def test_other_tasks_have_turns_while_a_lot_is_walked() -> None:
    graph = greeting(1)
    plan = DraftGraph(nodes=graph.nodes, edges=graph.edges).compile()
    new = [
        NewChild(index=index, statuses="ppp", fields={"inputs": pack({"who": str(index)})})
        for index in range(CHILDREN)
    ]
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(take_turns())
    walked = await walk_all(plan, new, walk_pure)
    other.cancel()

    assert sorted(walked) == list(range(CHILDREN))
    assert turns >= CHILDREN // AT_ONCE
