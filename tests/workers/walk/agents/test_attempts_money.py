"""Money of agents and their retries: each turn is paid once, and ended steps are kept."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.store import Store
from tests.support.factories import Graph, Runner
from tests.support.graphs.agents import agent, ask, calling, parts_of, upper
from tests.support.http.scripted_server import Target
from tests.support.models.chat_script import (
    TURN_PRICE,
    ChatScript,
    Message,
    calls,
    results_in,
    says,
    turns_in,
)
from tests.support.workers.paying_account import PRO
from tests.support.workers.retried_runs import accept_retry

pytestmark = pytest.mark.usefixtures("agent_worker")


async def retry(runner: Runner, execution_id: str) -> Any:
    payer = SimpleNamespace(account=runner.account, store=runner.store, terms=PRO)
    return await runner.end(await accept_retry(cast(Any, payer), execution_id))


async def test_a_retry_keeps_the_steps_that_have_completed(
    runner: Runner, chat: ChatScript, target: Target, store: Store
) -> None:
    slug = await runner.save(calling(f"{target.url}/echo"))
    is_down = True

    def script(messages: Sequence[Message]) -> dict[str, Any] | None:
        if turns_in(messages) == 0:
            return calls((slug, {"text": "a"}))
        return None if is_down else says(results_in(messages)[0])

    chat.script = script
    failed = await ask(runner, agent(tools=[{"workflow": slug}]))
    assert failed.error is not None
    assert failed.error["nodeCode"] == "PROVIDER_UNAVAILABLE"
    assert failed.credits_cost == TURN_PRICE
    asked = len(chat.bodies)

    is_down = False
    execution = await retry(runner, failed.id)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert "echo" in execution.result["text"]
    assert target.calls.total() == 1
    assert len(chat.bodies) == asked + 1
    assert execution.credits_cost == TURN_PRICE
    assert [each[2] for each in parts_of(execution)] == ["completed"] * 3
    assert await store.wallets.check(runner.account.id) == []


async def test_a_retry_keeps_the_failure_of_a_tool_from_which_the_model_went_on(
    runner: Runner, chat: ChatScript, target: Target
) -> None:
    look = await runner.save(calling(f"{target.url}/flaky/1"))
    pay = await runner.save(calling(f"{target.url}/echo"))
    is_down = True

    def script(messages: Sequence[Message]) -> dict[str, Any] | None:
        results = results_in(messages)
        if turns_in(messages) == 0:
            return calls((look, {"text": "a"}))
        if turns_in(messages) == 1:
            why = "unseen" if "http_status" in results[0] else "seen"
            return calls((pay, {"text": why}), number=1)
        return None if is_down else says(results[1])

    chat.script = script
    failed = await ask(runner, agent(tools=[{"workflow": look}, {"workflow": pay}]))
    assert failed.error is not None
    assert failed.error["nodeCode"] == "PROVIDER_UNAVAILABLE"

    failed = await retry(runner, failed.id)
    is_down = False
    execution = await retry(runner, failed.id)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert target.calls == {"/flaky/1?text=a": 1, "/echo?text=unseen": 1}
    assert execution.credits_cost == TURN_PRICE
    statuses = ["completed", "failed", "completed", "completed", "completed"]
    assert [each[2] for each in parts_of(execution)] == statuses
    assert execution.result["steps"][1]["error"]["code"] == "http_status"


async def test_a_run_over_its_credits_ends_at_the_turn_that_would_exceed_them(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    slug = await runner.save(upper())
    chat.script = lambda messages: calls((slug, {"text": "a"}), number=len(messages))

    execution = await ask(runner, agent(tools=[{"workflow": slug}]), max_credits=2 * TURN_PRICE + 1)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["code"] == "MAX_CREDITS_EXCEEDED"
    assert execution.credits_cost == 2 * TURN_PRICE
    assert len(chat.bodies) == 2
    assert await store.wallets.check(runner.account.id) == []
    assert (await store.wallets.get(runner.account.id, PRO)).reserved == 0


async def test_an_account_without_credits_ends_the_agent(
    runner: Runner, chat: ChatScript, store: Store
) -> None:
    slug = await runner.save(upper())
    chat.script = lambda messages: calls((slug, {"text": "a"}), number=len(messages))
    poor = replace(PRO, allowance=TURN_PRICE + 2)

    execution = await ask(runner, agent(tools=[{"workflow": slug}]), terms=poor)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert "INSUFFICIENT_CREDITS" in (execution.error["code"], execution.error.get("nodeCode"))
    assert execution.credits_cost == TURN_PRICE
    assert len(chat.bodies) == 1
    assert await store.wallets.check(runner.account.id) == []


async def test_a_tool_that_is_an_agent_costs_what_its_steps_cost(
    runner: Runner, chat: ChatScript
) -> None:
    inner = Graph("text").node("agent", "agent", model="thinker", prompt="Inner {{ text }}")
    inner.node("out", "responseOutput")
    inner.wire("in.text > agent.text", "agent.text-out > out.result-in")
    slug = await runner.save(inner)

    def script(messages: Sequence[Message]) -> dict[str, Any]:
        if str(messages[-1]["content"]).startswith("Inner"):
            return says("from inside")
        return says(results_in(messages)[0]) if turns_in(messages) else calls((slug, {"text": "x"}))

    chat.script = script
    execution = await ask(runner, agent(tools=[{"workflow": slug}]))

    assert execution.result["text"] == "from inside"
    assert execution.credits_cost == 3 * TURN_PRICE
    costs = [each["creditsCost"] for each in execution.result["steps"]]
    assert costs == [TURN_PRICE] * 3
