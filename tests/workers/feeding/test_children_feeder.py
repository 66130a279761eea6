"""Children from the opening of their group to their end, on a whole worker in this process.

Their parent is moved by hand, in the name of another worker.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from engine.executions.batches import ItemStatus
from engine.executions.children import GroupStatus
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.graph.document import parse_document
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.children.records import Group, GroupTarget
from engine.store.executions.advance import Step, Verdict
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, greeting
from tests.support.http.scripted_server import Target
from tests.support.store.child_runs import ChildRuns
from tests.support.store.claims import advance
from tests.support.store.records import save
from workers.main import worker
from workers.walk.walker import Walker

NAMES = [f"number {index}" for index in range(30)]
NUMBERS = [f"{index}" for index in range(12)]


def call(url: str) -> Graph:
    """One call with the item in its query."""
    graph = Graph("who").node("h", "httpRequest", url=f"{url}?n={{{{ who }}}}")
    graph.node("out", "responseOutput")
    return graph.wire("in.who > h.who", "h.response-out > out.result-in")


class FedGroup:
    """A root moved by hand, with a group of children of another workflow."""

    def __init__(self, runs: ChildRuns) -> None:
        self.runs = runs
        self.store = runs.store

    async def open(self, graph: Graph, items: Sequence[Any] = NAMES, **members: Any) -> None:
        """Save the graph, and open a group of its version for the items, by its first field."""
        slug = await self.save(graph)
        target = members.pop("target", GroupTarget(slug=slug, version=1))
        named = {"over": "who", "shared": {}, "items": items, "target": target, **members}
        await self.runs.open(len(items), **named)

    async def save(self, graph: Graph) -> str:
        document = parse_document(graph.body("Inner"))
        return (await self.store.workflows.create(self.runs.account.id, document, [])).slug

    async def states(self) -> str:
        return (await self.runs.group()).states

    async def done(self, seconds: float = 30.0) -> Group:
        """Return the group once it is done."""

        async def find() -> Group | None:
            group = await self.runs.group()
            return group if group.status is GroupStatus.DONE else None

        group = await eventually(find, timeout=seconds)
        assert group is not None
        return group

    async def execution(self, index: int) -> Execution:
        return await self.store.executions.get(self.runs.account.id, self.runs.child_id(index))

    async def end_root(self) -> None:
        """Have the root fail, as its worker records it."""
        step = Step(
            end=ExecutionStatus.FAILED,
            slug=self.runs.workflow.slug,
            error={"code": "X", "message": "broken"},
            may_have_groups=True,
        )
        assert await advance(self.store, self.runs.parent, 2, step) is Verdict.OK

    async def errors(self) -> dict[int, dict[str, Any]]:
        group = await self.runs.group()
        outcomes = await self.store.children.outcomes(group, range(group.size))
        return {each.index: dict(each.error) for each in outcomes if each.error is not None}


@pytest.fixture
async def fed(store: Store, account: Account) -> FedGroup:
    runs = ChildRuns(store, account, await save(store, account))
    await runs.begin_root()
    return FedGroup(runs)


async def test_all_children_begin_and_end_with_their_own_inputs(
    fed: FedGroup, walker: Walker
) -> None:
    await fed.open(greeting(), concurrency=7)

    group = await fed.done()

    assert group.states == "c" * 30
    for index in (0, 29):
        execution = await fed.execution(index)
        assert execution.status is ExecutionStatus.COMPLETED
        assert f"number {index}" in str(execution.result)
        record = await fed.runs.record(fed.runs.child_id(index))
        assert (record["source"], record["slug"], record["version"]) == (b"sub", b"inner", b"1")
        assert (record["parent"], record["root"], record["depth"]) == (
            fed.runs.parent_id.encode(),
            fed.runs.root_id.encode(),
            b"2",
        )


async def test_children_are_no_executions_of_the_account(fed: FedGroup, walker: Walker) -> None:
    await fed.open(greeting(), NAMES[:3])
    await fed.done()

    listed, _ = await fed.store.executions.list(fed.runs.account.id)

    assert [each.id for each in listed] == [fed.runs.root_id]
    assert await fed.store.executions.count_active(fed.runs.account.id) == 1


async def test_no_more_children_run_at_once_than_the_node_says(
    fed: FedGroup, walker: Walker, target: Target
) -> None:
    await fed.open(call(f"{target.url}/slow/0.05"), NUMBERS, concurrency=3)
    most = 0

    async def is_done() -> bool:
        nonlocal most
        group = await fed.runs.group()
        most = max(most, group.states.count(ItemStatus.PROCESSING.code))
        return group.status is GroupStatus.DONE

    await eventually(is_done)

    assert most == 3
    assert await fed.states() == "c" * 12


async def test_items_that_do_not_fit_fail_alone(fed: FedGroup, walker: Walker) -> None:
    await fed.open(greeting(), ["one", 2, "three"], on_error="null")

    group = await fed.done()

    assert group.states == "cfc"
    errors = await fed.errors()
    assert errors.keys() == {1}
    assert errors[1]["code"] == "invalid_inputs"
    assert "who" in errors[1]["message"]


async def test_the_first_item_that_does_not_fit_ends_the_group_of_a_node_that_fails(
    fed: FedGroup, walker: Walker
) -> None:
    await fed.open(greeting(), [1, *NAMES], concurrency=1)

    group = await fed.done()

    assert (group.states, group.failed) == ("f" + "x" * 30, 0)


async def test_a_child_has_the_number_of_its_item(fed: FedGroup, walker: Walker) -> None:
    graph = Graph().node(
        "in",
        "requestInput",
        fields=[
            {"name": "who", "label": "who", "type": "text"},
            {"name": "index", "label": "index", "type": "number"},
        ],
    )
    graph.node("t", "textBox", text="{{ a }} {{ b }}").node("out", "responseOutput")
    graph.wire("in.who > t.a", "in.index > t.b", "t.text-out > out.result-in")
    await fed.open(graph, NAMES[:3], with_index=True)

    await fed.done()

    assert "number 2 2" in str((await fed.execution(2)).result)


async def test_children_of_a_workflow_that_is_gone_fail(fed: FedGroup, settings: Settings) -> None:
    await fed.open(greeting(), NAMES[:3], on_error="skip")
    key = keyspace.workflow(fed.runs.account.id, "inner")
    await fed.store.client.send("HDEL", key, "d1")

    async with worker(settings):
        group = await fed.done()

    assert group.states == "fff"
    assert {each["code"] for each in (await fed.errors()).values()} == {"workflow_not_found"}


@pytest.mark.parametrize("cancels", ["root", "group"])
async def test_a_cancel_ends_children_that_run_and_begins_no_more(
    fed: FedGroup, walker: Walker, target: Target, cancels: str
) -> None:
    await fed.open(call(f"{target.url}/slow/30"), NUMBERS, concurrency=4)

    async def slow() -> int:
        return target.slow

    await eventually(slow, lambda count: count == 4)
    if cancels == "root":
        await fed.end_root()
    else:
        await fed.store.children.cancel(fed.runs.ref)
    group = await fed.done()

    assert group.states == "x" * 12
    assert target.slow == 4
    for index in range(4):
        child = await fed.execution(index)
        assert child.status is ExecutionStatus.CANCELLED


async def test_a_group_goes_on_after_its_worker_has_died(
    fed: FedGroup, settings: Settings, target: Target
) -> None:
    await fed.open(greeting(), NAMES[:5], concurrency=2)
    await fed.store.children.feeding.take(fed.runs.ref, "a worker that dies")

    async with worker(settings):
        group = await fed.done()

    assert group.states == "ccccc"
