"""Agents in replays: an equal one is recorded as a whole, and another one calls nobody."""

import pytest

from engine.executions.statuses import ExecutionStatus
from tests.support.factories import Graph, Runner
from tests.support.graphs.agents import agent, ask
from tests.support.mcp.server import McpServer
from tests.support.models.chat_script import ChatScript, calls, results_in, says, turns_in
from tests.support.replays.replayed_runs import accept_replay, code_of

pytestmark = pytest.mark.usefixtures("agent_worker")


async def test_an_agent_and_its_tools_are_called_once(
    runner: Runner, chat: ChatScript, mcp: McpServer
) -> None:
    chat.script = lambda messages: (
        says(" ".join(results_in(messages)))
        if turns_in(messages)
        else calls(("add", {"a": 2, "b": 3}))
    )

    def graph(**data: object) -> Graph:
        return agent(tools=[{"server": mcp.url}], **data)

    former = await ask(runner, graph())
    before = len(chat.bodies), len(mcp.methods())

    new_id = await accept_replay(
        runner.store, runner.account, former, graph(), notifier=runner.notifier.channel
    )
    same = await runner.end(new_id)
    new_id = await accept_replay(
        *(runner.store, runner.account, former, graph(system="Be short")),
        notifier=runner.notifier.channel,
    )
    other = await runner.end(new_id)

    assert former.status is ExecutionStatus.COMPLETED, former.error
    assert (same.result, same.credits_cost) == (former.result, 0)
    assert code_of(other) == "replay_unmatched"
    assert (len(chat.bodies), len(mcp.methods())) == before
