"""Agents on real parts: a worker, its feeder, Redis, and a provider whose turns a test scripts."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import child_execution_id
from engine.models.registry import use_models
from engine.store import Store
from tests.support.factories import Graph, Runner
from tests.support.http.providers import serving_provider
from tests.support.models.chat_script import (
    TURN_PRICE,
    ChatScript,
    Message,
    calls,
    results_in,
    says,
    thinker,
    turns_in,
)
from tests.support.workers.paying_account import PRO
from workers.walk.walker import Walker

AGENT = "agent"


@pytest.fixture
async def chat(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ChatScript]:
    async with serving_provider(ChatScript()) as provider:
        for name, value in provider.environ.items():
            monkeypatch.setenv(name, value)
        assert isinstance(provider, ChatScript)
        yield provider


@pytest.fixture
def models() -> Iterator[None]:
    with use_models([thinker()]):
        yield


@pytest.fixture(autouse=True)
def _walker(chat: ChatScript, models: None, walker: Walker) -> None:
    """A whole worker, which finds provider and model."""


def agent(**data: Any) -> Graph:
    """Request input → agent → its text and its steps."""
    graph = Graph("question")
    graph.node(AGENT, "agent", model="thinker", prompt="{{ question }}", **data)
    graph.node("out", "responseOutput", fields=[{"name": "text"}, {"name": "steps"}])
    return graph.wire(
        "in.question > agent.question",
        "agent.text-out > out.text",
        "agent.steps-out > out.steps",
    )


def upper(field: str = "text") -> Graph:
    """A tool: gives its text with an exclamation mark."""
    graph = Graph(field).node("t", "textBox", text="{{ a }}!").node("out", "responseOutput")
    return graph.wire(f"in.{field} > t.a", "t.text-out > out.result-in")


async def ask(runner: Runner, graph: Graph, question: str = "Why?", **options: Any) -> Execution:
    slug = await runner.save(graph)
    options = {"terms": PRO, **options}
    return await runner.end(await runner.begin(slug, {"question": question}, **options))


def parts_of(execution: Execution) -> list[tuple[str, str, str]]:
    return [(each["kind"], each["name"], each["status"]) for each in execution.result["steps"]]


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
