"""Agents in drafts, in bodies, in public workflows of others, and of workflows that change."""

from collections.abc import Sequence
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus
from engine.graph.document import parse_document
from engine.ids.executions import child_execution_id
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.agents import AGENT, agent, upper
from tests.support.graphs.nested_graphs import per_item
from tests.support.models.chat_script import ChatScript, Message, calls, results_in, says, turns_in
from tests.support.workers.draft_runs import accept_draft, drafted, write
from tests.support.workers.paying_account import PRO

pytestmark = pytest.mark.usefixtures("agent_worker")


def call_once(slug: str) -> Any:
    """A script: one call, and its result as the answer."""

    def script(messages: Sequence[Message]) -> dict[str, Any]:
        return says(results_in(messages)[0]) if turns_in(messages) else calls((slug, {"text": "a"}))

    return script


def one(slug: str) -> Graph:
    """An agent whose text is the result."""
    graph = Graph("question").node(
        AGENT, "agent", model="thinker", prompt="{{ question }}", tools=[{"workflow": slug}]
    )
    graph.node("out", "responseOutput")
    return graph.wire("in.question > agent.question", "agent.text-out > out.result-in")


async def test_an_agent_of_a_draft_runs_as_the_draft_was(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    tool = await runner.save(upper())
    chat.script = call_once(tool)
    slug = await drafted(store, runner.account, one(tool))
    channel = runner.notifier.channel
    begun = await accept_draft(store, runner.account, slug, {"question": "Why?"}, channel)
    await write(store, runner.account, slug, Graph().node("out", "responseOutput"))

    execution = await runner.end(begun)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == {"text": "a!"}


async def test_an_agent_runs_for_each_item_of_a_list(runner: Runner, chat: ChatScript) -> None:
    tool = await runner.save(upper())
    chat.script = call_once(tool)
    slug = await runner.save(per_item(one(tool)))
    begun = await runner.begin(slug, {"items": ["x", "y", "z"]}, terms=PRO)

    execution = await runner.end(begun)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result["results"] == ["a!"] * 3


async def test_tools_of_a_public_workflow_are_those_of_its_owner(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    tool = await runner.save(upper())
    chat.script = call_once(tool)
    slug = await runner.save(one(tool))
    guest = await store.accounts.create(email="guest@example.com", tier=Tier.PRO)
    owner, runner.account = runner.account, guest
    begun = await runner.begin(slug, {"question": "Why?"}, terms=PRO)

    execution = await runner.end(begun)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == {"text": "a!"}
    record = await store.walks.records(guest.id, child_execution_id(begun, AGENT, 1))
    assert (record["owner"], record["slug"]) == (owner.id.encode(), tool.encode())
    assert await store.wallets.check(guest.id) == []


async def test_a_tool_keeps_the_version_that_was_live_when_the_agent_began(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    tool = await runner.save(upper())
    chat.script = call_once(tool)
    chat.seconds = 0.5
    begun = await runner.begin(await runner.save(one(tool)), {"question": "Why?"}, terms=PRO)

    async def asked() -> int:
        return len(chat.bodies)

    await eventually(asked, lambda count: count == 1)
    other = Graph("text").node("t", "textBox", text="new {{ a }}").node("out", "responseOutput")
    other.wire("in.text > t.a", "t.text-out > out.result-in")
    await store.workflows.update(runner.account.id, tool, parse_document(other.body()), [])

    assert (await runner.end(begun)).result == {"text": "a!"}


async def test_two_agents_of_one_run_are_apart(runner: Runner, chat: ChatScript) -> None:
    graph = agent()
    graph.node("second", "agent", model="thinker", prompt="Then {{ text }}")
    graph.nodes[2]["data"]["fields"].append({"name": "second"})
    graph.wire("agent.text-out > second.text", "second.text-out > out.second")
    chat.script = lambda messages: says(f"<{messages[-1]['content']}>")
    begun = await runner.begin(await runner.save(graph), {"question": "a"}, terms=PRO)

    execution = await runner.end(begun)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert (execution.result["text"], execution.result["second"]) == ("<a>", "<Then <a>>")
