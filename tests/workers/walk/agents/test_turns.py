"""Turns of agents on real parts against the demo provider: streams, and calls that providers botch.

A provider answers tool calls twice, late or malformed: no finished step is repeated, and the
agent stays within its bounds.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.executions.events import EventName, ProgressEntry
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.dialects.openai import OpenAISection
from engine.models.pricing import Price, Unit
from engine.models.registry import use_models
from engine.store import Store
from tests.support.factories import Graph, Runner
from tests.support.http.providers import MODEL_KEYS, stub_provider
from tests.support.models.chat_script import TURN_PRICE, thinker
from tests.support.store.watched_runs import CHANNEL
from tests.support.workers.paying_account import PRO
from workers.walk.walker import Walker

AGENT = "agent"
BY_TOKENS = (
    Price(unit=Unit.INPUT_TOKEN, usd=Decimal("0.001"), at_most=300),
    Price(unit=Unit.OUTPUT_TOKEN, usd=Decimal("0.0001"), at_most=100),
)
"""A bound of the input that chats exceed soon."""


@pytest.fixture(scope="module")
def stub() -> Iterator[str]:
    with stub_provider() as url:
        yield url


@pytest.fixture(autouse=True)
def _worker(stub: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PROVIDER_URL", f"{stub}/v1")
    for name, value in MODEL_KEYS.items():
        monkeypatch.setenv(name, value)
    usual = thinker("hasty")
    assert isinstance(usual.call, OpenAISection)
    endpoint = replace(usual.call.endpoint, timeout_seconds=0.5)
    hasty = replace(usual, call=replace(usual.call, endpoint=endpoint))
    counted = replace(usual, internal_name="counted", pricing=BY_TOKENS)
    with use_models([thinker(), hasty, counted]):
        yield


@pytest.fixture(autouse=True)
def _walker(_worker: None, walker: Walker) -> None:
    """A whole worker, which finds provider and model."""


def agent(slug: str, **data: Any) -> Graph:
    graph = Graph("question")
    tools = [{"workflow": slug}]
    data = {"model": "thinker", "prompt": "{{ question }}", "tools": tools, **data}
    graph.node(AGENT, "agent", **data)
    graph.node("out", "responseOutput", fields=[{"name": "text"}, {"name": "steps"}])
    return graph.wire(
        "in.question > agent.question",
        "agent.text-out > out.text",
        "agent.steps-out > out.steps",
    )


async def save_tool(runner: Runner) -> str:
    graph = Graph("number").node("t", "textBox", text="order {{ a }}").node("o", "responseOutput")
    return await runner.save(graph.wire("in.number > t.a", "t.text-out > o.result-in"))


async def ask(runner: Runner, script: str, **data: Any) -> Execution:
    """Ask an agent with one tool; `TOOL` in the script is its name."""
    slug = await save_tool(runner)
    saved = await runner.save(agent(slug, **data))
    question = f"Where is A-7? [[stub {script.replace('TOOL', slug)}]]"
    return await runner.end(await runner.begin(saved, {"question": question}, terms=PRO))


def steps_of(execution: Execution) -> list[tuple[str, str]]:
    return [(each["kind"], each["status"]) for each in execution.result["steps"]]


async def children_of(store: Store, runner: Runner, execution: Execution) -> int:
    ids = {each["childExecutionId"] for each in execution.result["steps"]} - {""}
    found = [await store.executions.get(runner.account.id, each) for each in ids]
    assert all(each.status is ExecutionStatus.COMPLETED for each in found)
    return len(found)


async def test_the_text_of_each_turn_is_in_the_stream_of_the_agent(
    runner: Runner, store: Store
) -> None:
    slug = await save_tool(runner)
    saved = await runner.save(agent(slug))
    question = f"Where is A-7? [[stub call={slug} pace=30]]"

    execution_id = await runner.begin(saved, {"question": question}, terms=PRO)
    await store.events.read(runner.account.id, execution_id, 1, CHANNEL)
    execution = await runner.end(execution_id)

    page = await store.events.read(runner.account.id, execution_id, 1, CHANNEL)
    texts = [each.event for each in page.entries if isinstance(each, ProgressEntry)]
    assert {each.name for each in texts} == {EventName.NODE_TEXT}
    assert len({each.index for each in texts}) == 1
    turns: list[str] = []
    for each in texts:
        turns = [*turns, ""] if each.offset == 0 else turns
        assert each.offset == len(turns[-1])
        turns[-1] += each.text
    assert turns == [f"(stub) I call {slug}.", execution.result["text"]]
    assert execution.result["text"] == f"(stub) {slug}: order A-7"


@pytest.mark.parametrize("odd", ["twice", "no-id", "same-id", "null"])
@pytest.mark.F63
async def test_odd_calls_are_made_once(runner: Runner, store: Store, odd: str) -> None:
    execution = await ask(runner, f"call=TOOL+TOOL|TOOL odd={odd}")

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    # The same call under the same id is one call that was repeated.
    assert steps_of(execution) == [
        ("model", "completed"),
        *[("tool", "completed")] * (1 if odd == "same-id" else 2),
        ("model", "completed"),
        ("tool", "completed"),
        ("model", "completed"),
    ]
    steps = len(execution.result["steps"])
    assert await children_of(store, runner, execution) == steps


@pytest.mark.parametrize("odd", ["broken", "list", "cut"])
@pytest.mark.F63
async def test_malformed_calls_come_back_to_the_model(
    runner: Runner, store: Store, odd: str
) -> None:
    execution = await ask(runner, f"call=TOOL odd={odd}")

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert steps_of(execution) == [
        ("model", "completed"),
        ("tool", "failed"),
        ("model", "completed"),
    ]
    assert execution.result["steps"][1]["error"]["code"] == "invalid_arguments"
    assert "failed: " in execution.result["text"]


@pytest.mark.F63
async def test_a_model_that_never_stops_ends_at_its_bound(runner: Runner) -> None:
    execution = await ask(runner, "call=TOOL*", maxSteps=6)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["nodeCode"] == "max_steps"


@pytest.mark.F63
async def test_a_tool_that_is_not_there_is_a_result(runner: Runner) -> None:
    execution = await ask(runner, "call=delete-everything|TOOL")

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert [each["error"] and each["error"]["code"] for each in execution.result["steps"]] == [
        *(None, "tool_not_found"),
        *(None, None, None),
    ]


@pytest.mark.parametrize("script", ["fail=503 times=1", "hang times=1", "cut times=1"])
@pytest.mark.F63
async def test_a_turn_that_fails_or_comes_late_is_asked_for_again_and_steps_stay(
    runner: Runner, store: Store, script: str
) -> None:
    retry = {"attempts": 3, "backoff": 0.05}

    execution = await ask(runner, f"call=TOOL {script}", model="hasty", retry=retry)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert steps_of(execution) == [
        ("model", "completed"),
        ("tool", "completed"),
        ("model", "completed"),
    ]
    assert await children_of(store, runner, execution) == 3
    assert execution.credits_cost == 2 * TURN_PRICE


async def test_turns_cost_the_tokens_that_they_use(runner: Runner, store: Store) -> None:
    execution = await ask(runner, "call=TOOL|TOOL", model="counted")

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    costs = [each["creditsCost"] for each in execution.result["steps"]]
    turns, tools = costs[::2], costs[1::2]
    assert tools == [0, 0]
    assert 0 < turns[0] < turns[1] < turns[2]  # each chat is longer than the one before
    assert execution.credits_cost == sum(costs)
    assert await store.wallets.check(runner.account.id) == []
