"""Agents on real parts: a worker, its feeder, Redis, and a provider whose turns a test scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from engine.executions.node_waits import Decision
from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import child_execution_id
from engine.nodes.agents.steps import StepStatus
from engine.services.runs.node_values import read_node
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.agents import AGENT, agent, ask, parts_of, upper
from tests.support.mcp.server import McpServer
from tests.support.models.chat_script import (
    TURN_PRICE,
    ChatScript,
    Message,
    calls,
    results_in,
    says,
    turns_in,
)
from tests.support.waits.answers import answer, until_waiting
from tests.support.workers.paying_account import PRO

pytestmark = pytest.mark.usefixtures("agent_worker")


async def test_an_agent_without_tools_answers(runner: Runner, chat: ChatScript) -> None:
    chat.script = lambda messages: says(f"About {messages[-1]['content']}")

    execution = await ask(runner, agent(system="Be kind"))

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result["text"] == "About Why?"
    [step] = execution.result["steps"]
    assert (step["number"], step["kind"], step["name"]) == (1, "model", "thinker")
    assert step["creditsCost"] == execution.credits_cost == TURN_PRICE
    assert step["childExecutionId"] == child_execution_id(execution.id, AGENT, 0)
    [body] = chat.bodies
    assert [each["role"] for each in body["messages"]] == ["system", "user"]
    assert "tools" not in body


async def test_workflows_are_tools(runner: Runner, chat: ChatScript, store: Store) -> None:
    slug = await runner.save(upper())

    def script(messages: Sequence[Message]) -> Mapping[str, Any]:
        if turns_in(messages) == 0:
            return calls((slug, {"text": "a"}), (slug, {"text": "b"}))
        return says(" ".join(results_in(messages)))

    chat.script = script
    execution = await ask(runner, agent(tools=[{"workflow": slug}]))

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result["text"] == "a! b!"
    assert parts_of(execution) == [
        ("model", "thinker", "completed"),
        ("tool", slug, "completed"),
        ("tool", slug, "completed"),
        ("model", "thinker", "completed"),
    ]
    steps = execution.result["steps"]
    assert [each["output"] for each in steps[1:3]] == ["a!", "b!"]
    assert execution.credits_cost == 2 * TURN_PRICE
    [tool] = chat.bodies[0]["tools"]
    assert tool["function"]["name"] == slug
    assert tool["function"]["parameters"]["properties"]["text"]["type"] == "string"
    assert await store.wallets.check(runner.account.id) == []
    child = await store.executions.get(runner.account.id, steps[1]["childExecutionId"])
    assert child.workflow_slug == slug


def ask_twice(*asked: Any) -> Any:
    """A script: one turn that calls tools, and one that repeats their results."""

    def script(messages: Sequence[Message]) -> dict[str, Any]:
        if turns_in(messages) == 0:
            return calls(*asked)
        return says(" | ".join(results_in(messages)))

    return script


async def test_a_failed_tool_is_a_result_and_unknown_tools_are_none(
    runner: Runner, chat: ChatScript
) -> None:
    broken = Graph("text").node("t", "transform", expression="1 / 0").node("out", "responseOutput")
    broken.wire("in.text > t.value-in", "t.value-out > out.result-in")
    slug = await runner.save(broken)
    chat.script = ask_twice((slug, {"text": "a"}), ("no-tool", {}), (slug, {"text": 5}))

    execution = await ask(runner, agent(tools=[{"workflow": slug}]))

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    failed, unknown, invalid = execution.result["text"].split(" | ")
    assert failed.startswith("Error: expression_error: ")
    assert unknown == "Error: There is no tool 'no-tool'"
    assert invalid.startswith("Error: invalid_inputs: ")
    assert [each[2] for each in parts_of(execution)] == [
        "completed",
        "failed",
        "failed",
        "failed",
        "completed",
    ]


async def test_tools_of_a_server_are_listed_and_called(
    runner: Runner, chat: ChatScript, mcp: McpServer
) -> None:
    chat.script = ask_twice(("add", {"a": 2, "b": 3}), ("fail", {"why": "Not today"}))

    execution = await ask(runner, agent(tools=[{"server": mcp.url}]))

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result["text"] == "5 | Error: Not today"
    first, second = execution.result["steps"][1:3]
    assert (first["output"], first["status"]) == ({"sum": 5}, "completed")
    assert second["error"] == {"code": "tool_failed", "message": "Not today"}
    assert {"add", "echo"} <= {each["function"]["name"] for each in chat.bodies[0]["tools"]}


async def test_one_tool_of_a_server_may_be_offered(
    runner: Runner, chat: ChatScript, mcp: McpServer
) -> None:
    execution = await ask(runner, agent(tools=[{"server": mcp.url, "tool": "add"}]))
    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert [each["function"]["name"] for each in chat.bodies[0]["tools"]] == ["add"]

    missing = await ask(runner, agent(tools=[{"server": mcp.url, "tool": "gone"}]))
    assert missing.error is not None
    assert missing.error["nodeCode"] == "tool_not_found"


async def test_a_turn_has_the_attempts_of_the_agent(runner: Runner, chat: ChatScript) -> None:
    chat.failures = 2

    execution = await ask(runner, agent(retry={"attempts": 3, "backoff": 0}))

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert len(chat.bodies) == 3
    assert execution.credits_cost == TURN_PRICE


async def test_a_failed_turn_fails_the_agent_with_its_code(
    runner: Runner, chat: ChatScript
) -> None:
    chat.failures = 10

    execution = await ask(runner, agent())

    assert execution.error is not None
    assert execution.error["nodeId"] == AGENT
    assert execution.error["nodeCode"] == "PROVIDER_UNAVAILABLE"
    assert execution.credits_cost == 0


async def test_steps_and_credits_have_bounds(runner: Runner, chat: ChatScript) -> None:
    slug = await runner.save(upper())
    chat.script = lambda messages: calls((slug, {"text": "x"}), number=len(messages))

    tools = [{"workflow": slug}]
    over = await ask(runner, agent(tools=tools, maxSteps=5))
    assert over.error is not None and over.error["nodeCode"] == "max_steps"
    assert len(chat.bodies) == 3
    assert over.credits_cost == 3 * TURN_PRICE

    chat.bodies.clear()
    dear = await ask(runner, agent(tools=tools, maxCredits=TURN_PRICE + 1))
    assert dear.error is not None and dear.error["nodeCode"] == "max_credits"
    assert len(chat.bodies) == 2


async def test_an_approval_is_asked_for_and_a_refusal_goes_to_the_model(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    slug = await runner.save(upper())
    chat.script = ask_twice((slug, {"text": "refund 30"}))
    graph = agent(tools=[{"workflow": slug}], approve=[slug])
    begun = await runner.begin(await runner.save(graph), {"question": "Pay?"}, terms=PRO)

    asked = child_execution_id(begun, AGENT, 1)
    [wait] = await until_waiting(store, runner.account.id, asked)
    assert wait.title == f"Call the tool {slug}?"
    assert wait.message == '{"text":"refund 30"}'
    running = await read_node(store, runner.account.id, begun, AGENT)
    assert running.steps is not None
    assert [(each.name, each.status) for each in running.steps] == [
        ("thinker", StepStatus.COMPLETED),
        (slug, StepStatus.WAITING),
    ]
    assert running.steps[1].approval is not None
    assert running.steps[1].approval.child_execution_id == asked
    await answer(store, wait, Decision.REFUSE, note="Too much")

    execution = await runner.end(begun)
    assert execution.result["text"] == "Error: A person refused the call, with the note: Too much"
    step = execution.result["steps"][1]
    assert (step["error"]["code"], step["approval"]["decision"]) == ("refused", "refuse")
    ended = await read_node(store, runner.account.id, begun, AGENT)
    assert ended.steps is not None and len(ended.steps) == 3


async def test_an_approved_call_is_made(runner: Runner, chat: ChatScript, store: Store) -> None:
    slug = await runner.save(upper())
    chat.script = ask_twice((slug, {"text": "refund"}))
    graph = agent(tools=[{"workflow": slug}], approve=[slug])
    begun = await runner.begin(await runner.save(graph), {"question": "Pay?"}, terms=PRO)

    [wait] = await until_waiting(store, runner.account.id, child_execution_id(begun, AGENT, 1))
    await answer(store, wait)

    assert (await runner.end(begun)).result["text"] == "refund!"


async def test_an_agent_whose_time_is_up_fails_and_its_steps_are_cancelled(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    chat.seconds = 3

    execution = await ask(runner, agent(timeoutSeconds=0.5))

    assert execution.error is not None
    assert execution.error["nodeCode"] == "timeout"
    child = child_execution_id(execution.id, AGENT, 0)

    async def status() -> ExecutionStatus:
        return await store.executions.status(runner.account.id, child)

    await eventually(status, lambda found: found is ExecutionStatus.CANCELLED)


async def test_a_cancelled_run_cancels_the_steps(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    chat.seconds = 3
    begun = await runner.begin(await runner.save(agent()), {"question": "a"}, terms=PRO)
    await eventually(lambda: _count(chat), lambda found: found == 1)

    await store.executions.cancel(runner.account.id, begun)

    assert (await runner.end(begun)).status is ExecutionStatus.CANCELLED
    child = child_execution_id(begun, AGENT, 0)

    async def status() -> ExecutionStatus:
        return await store.executions.status(runner.account.id, child)

    await eventually(status, lambda found: found is ExecutionStatus.CANCELLED)


async def _count(chat: ChatScript) -> int:
    return len(chat.bodies)


async def test_an_answer_by_a_schema_is_parsed(runner: Runner, chat: ChatScript) -> None:
    chat.script = lambda messages: says('{"place": "Oslo"}')
    graph = agent(jsonSchema={"type": "object", "required": ["place"]})
    graph.nodes[-1]["data"]["fields"].append({"name": "value"})
    graph.wire("agent.json-out > out.value")

    execution = await ask(runner, graph)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result["value"] == {"place": "Oslo"}


async def test_a_workflow_that_is_gone_fails_the_agent(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    execution = await ask(runner, agent(tools=[{"workflow": "no-such"}]))

    assert execution.error is not None
    assert execution.error["nodeCode"] == "workflow_not_found"
    assert chat.bodies == []
