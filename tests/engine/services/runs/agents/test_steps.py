"""Steps of an agent: of the group while its parent is hot, afterwards of the archived children."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from engine.executions.execution import NodeExecution
from engine.executions.statuses import NodeStatus
from engine.graph.plan import Node
from engine.history.archiving.execution_rows import make_rows
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.ids.partitions import partition_of
from engine.nodes.agents.agent import STEPS_OUT, Agent
from engine.nodes.agents.rounds import AgentTask
from engine.nodes.agents.steps import AgentStep, StepKind, StepStatus
from engine.nodes.agents.tool_names import KnownTool
from engine.services.runs.agents.steps import RecordedAgent, read_steps
from engine.services.runs.agents.targets import TASK
from engine.settings import Settings
from engine.store import Account
from engine.store.children.keys import children
from engine.store.children.records import GroupTarget
from engine.store.children.rounds import GroupOpening, NewRound, RoundItem
from engine.store.executions.record_fields import pack_name
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.history.archived import History, opened
from tests.support.history.rows import NAMES, ended
from tests.support.store.child_runs import NODE, NODE_ID, ChildRuns
from tests.support.store.records import save

CALL = {"id": "c1", "name": "find-order", "arguments": {"order": "7"}}
REFUND = {"id": "c2", "name": "refund", "arguments": {"amount": 5}}
ASKED = {"text": "", "calls": [CALL, REFUND]}
ANSWER = {
    "decision": "approve",
    "fields": {},
    "note": "Fine",
    "by": {"kind": "session"},
    "at": "2026-03-01T09:30:00.000Z",
}
AGENT = Agent()
SETTINGS = AGENT.parse(
    {
        "model": "gpt-mini",
        "tools": [{"workflow": "find-order"}, {"workflow": "refund"}],
        "approve": ["refund"],
    }
)
AGENT_NODE = cast(Node, SimpleNamespace(index=NODE, id=NODE_ID, type=AGENT, settings=SETTINGS))
INPUTS = {"prompt-in": "Where is order 7?"}
TASK_ON_RECORD = msgspec.to_builtins(
    AgentTask(
        prompt="Where is order 7?",
        workflows=tuple(KnownTool(name=each, workflow=each) for each in ("find-order", "refund")),
    )
)


@pytest.fixture
async def history(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        yield history


@pytest.fixture
async def runs(history: History, account: Account) -> ChildRuns:
    """Return a root whose first node runs."""
    runs = ChildRuns(history.store, account, await save(history.store, account))
    await runs.begin_root()
    return runs


async def put_group(runs: ChildRuns, states: str, fields: Mapping[str, Any]) -> None:
    """Open a group with children in these states, and with fields of its record."""
    target = GroupTarget(slug=runs.workflow.slug, version=runs.workflow.version)
    new = NewRound(
        ref=runs.ref,
        expected=0,
        items=[RoundItem(target=target, inputs={})] * len(states),
        opening=GroupOpening(
            node_id=NODE_ID, target=target, depth=2, shared={TASK: TASK_ON_RECORD}
        ),
        object_prefix=runs.parent.lease.object_prefix,
    )
    await runs.store.children.rounds.append(new)
    key = children(runs.account.id, runs.parent_id, NODE)
    words = [word for pair in fields.items() for word in pair]
    await runs.store.client.send("HSET", key, "s0", states, *words)


async def archive(history: History, runs: ChildRuns, index: int, **fields: Any) -> None:
    """Write a child to the history, of which Redis has nothing."""
    place = {"parent": runs.parent_id, "parent_node_id": NODE_ID, "child": index}
    record = ended(account_id=runs.account.id, **place, **fields)
    rows = make_rows(replace(record, execution_id=runs.child_id(index)), NAMES)
    write_executions(history.database, [rows])
    key = keyspace.newest_forgotten(partition_of(runs.account.id))
    await history.store.client.send("HSET", key, runs.account.id, record.fields["created"])


async def steps_of(runs: ChildRuns, status: NodeStatus, **members: Any) -> Sequence[AgentStep]:
    """Return the steps of the agent, whose node has this status."""
    agent = RecordedAgent(
        account_id=runs.account.id,
        execution_id=runs.parent_id,
        node=AGENT_NODE,
        state=NodeExecution(index=NODE, status=status),
        **{"inputs": INPUTS, "outputs": None, "is_recorded": True, **members},
    )

    async def make_room(size: int) -> None:
        assert size >= 0

    found = await read_steps(runs.store, agent, make_room, reserve=None)
    assert found is not None
    return found


def shown(steps: Sequence[AgentStep]) -> list[tuple[str, str, int, int | None]]:
    return [(each.name, each.status.value, each.credits_cost, each.duration_ms) for each in steps]


async def test_an_agent_that_has_begun_nothing_plans_its_first_step(runs: ChildRuns) -> None:
    (step,) = await steps_of(runs, NodeStatus.RUNNING)

    assert (step.name, step.status, step.child_execution_id) == ("gpt-mini", "waiting", "")
    assert step.input == [{"role": "user", "text": "Where is order 7?"}]


async def test_a_running_agent_shows_ends_costs_and_the_question(runs: ChildRuns) -> None:
    await put_group(runs, "cp", {"r0": pack(ASKED), "m0": "3:820"})

    steps = await steps_of(runs, NodeStatus.WAITING)

    assert shown(steps) == [
        ("gpt-mini", "completed", 3, 820),
        ("find-order", "waiting", 0, None),
        ("refund", "waiting", 0, None),
    ]
    assert steps[0].child_execution_id == runs.child_id(0)
    approval = steps[2].approval
    assert approval is not None and approval.decision is None
    assert approval.child_execution_id == runs.child_id(1)
    assert steps[2].child_execution_id == ""


async def test_what_had_not_ended_with_the_agent_is_cancelled(runs: ChildRuns) -> None:
    await put_group(runs, "cx", {"r0": pack(ASKED), "m0": "3:820"})

    steps = await steps_of(runs, NodeStatus.CANCELLED)

    assert [each.status for each in steps] == ["completed", "cancelled", "cancelled"]


async def test_a_large_result_of_a_child_is_read_from_the_objects_of_the_parent(
    runs: ChildRuns,
) -> None:
    turn = {"text": "x" * 300_000, "calls": []}
    packed = pack(turn)
    name = f"{runs.parent.lease.object_prefix}.result.{len(packed)}"
    await runs.store.offloaded.put(runs.account.id, runs.parent_id, name, packed)
    await put_group(runs, "c", {"r0": pack_name(name)})

    (step,) = await steps_of(runs, NodeStatus.WAITING)

    assert step.output == turn


async def test_an_archived_agent_shows_the_same_by_its_children(
    runs: ChildRuns, history: History
) -> None:
    parent = keyspace.execution(runs.account.id, runs.parent_id)
    await runs.store.client.send("HSET", parent, "groups", f"{NODE}=5")
    await archive(history, runs, 0, result=pack(ASKED))
    await archive(history, runs, 1, result=pack(ANSWER))
    await archive(history, runs, 2, result=pack({"text": "on its way"}))
    error = {"code": "refused_here", "message": "Too much", "nodeId": "pay"}
    await archive(history, runs, 3, status="failed", error=pack(error), result=None)
    await archive(history, runs, 4, result=pack({"text": "It is on its way.", "calls": []}))

    steps = await steps_of(runs, NodeStatus.COMPLETED)

    assert [(each.name, each.status.value) for each in steps] == [
        ("gpt-mini", "completed"),
        ("find-order", "completed"),
        ("refund", "failed"),
        ("gpt-mini", "completed"),
    ]
    assert [each.child_execution_id for each in steps] == [
        runs.child_id(index) for index in (0, 2, 3, 4)
    ]
    assert steps[1].output == "on its way"
    assert steps[2].error == {"code": "refused_here", "message": "Too much"}
    assert steps[2].approval is not None and steps[2].approval.note == "Fine"
    assert all(each.duration_ms == 100 for each in steps)


async def test_a_completed_agent_has_its_steps_among_its_outputs(runs: ChildRuns) -> None:
    step = AgentStep(number=1, kind=StepKind.MODEL, name="m", status=StepStatus.COMPLETED)
    outputs = {STEPS_OUT: [msgspec.to_builtins(step)]}

    assert await steps_of(runs, NodeStatus.COMPLETED, outputs=outputs) == [step]


async def test_steps_of_an_execution_without_values_have_none(runs: ChildRuns) -> None:
    await put_group(runs, "cp", {"r0": pack(ASKED), "m0": "3:820"})

    steps = await steps_of(runs, NodeStatus.FAILED, inputs=None, is_recorded=False)

    assert [each.name for each in steps] == ["gpt-mini", "find-order", "refund"]
    assert all(each.input is None and each.output is None for each in steps)
