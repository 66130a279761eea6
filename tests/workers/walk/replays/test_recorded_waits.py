"""Nodes that wait, in replays: a delay passes at once, an approval takes the recorded answer."""

from typing import Any

import pytest

from engine.executions.execution import Execution
from engine.executions.node_waits import Decision
from engine.executions.replays import ReplayCalls
from engine.executions.statuses import ExecutionStatus
from tests.support.factories import Graph, Runner
from tests.support.http.scripted_server import Target
from tests.support.replays.replayed_runs import LIVE, RECORDED, accept_replay, code_of
from tests.support.waits.answers import answer, bring_forward, open_waits, until_waiting

pytestmark = pytest.mark.usefixtures("walker")
NAMED = [{"name": name} for name in ("yes", "no", "answer")]
REASON = {"name": "reason", "type": "text"}


def asking(text: str = "Hello {{ a }}", **data: Any) -> Graph:
    """Return a graph with an approval of a text, whose outputs are members of the result."""
    graph = Graph("who").node("text", "textBox", text=text)
    graph.node("ask", "approval", title="{{ name }}?", **({"fields": [REASON]} | data))
    graph.node("out", "responseOutput", fields=NAMED)
    return graph.wire(
        *("in.who > text.a", "text.text-out > ask.name", "text.text-out > ask.value-in"),
        *("ask.approved-out > out.yes", "ask.refused-out > out.no", "ask.answer-out > out.answer"),
    )


def delayed(**data: Any) -> Graph:
    graph = Graph("who").node("wait", "delay", **data).node("out", "responseOutput")
    return graph.wire("in.who > wait.value-in", "wait.value-out > out.result-in")


async def answered(runner: Runner, graph: Graph, decision: Decision) -> Execution:
    """Run the graph and answer its approval."""
    execution_id = await runner.begin(await runner.save(graph), {"who": "Ada"})
    [wait] = await until_waiting(runner.store, runner.account.id, execution_id)
    await answer(runner.store, wait, decision, {"reason": "nice"}, "note")
    return await runner.end(execution_id)


async def replayed(
    runner: Runner, former: Execution, graph: Graph, calls: ReplayCalls = RECORDED
) -> Execution:
    """Run an execution again, and make sure that nobody was asked."""
    channel = runner.notifier.channel
    new_id = await accept_replay(
        runner.store, runner.account, former, graph, calls, notifier=channel
    )
    ended = await runner.end(new_id)
    assert await open_waits(runner.store, runner.account.id, new_id) == []
    record = await runner.store.walks.records(runner.account.id, new_id)
    assert not [name for name in record if name.startswith("q")]
    return ended


@pytest.mark.parametrize("calls", [RECORDED, LIVE])
async def test_a_delay_passes_at_once(runner: Runner, calls: ReplayCalls) -> None:
    former = await runner.run(delayed(seconds=0), {"who": "Ada"})

    ended = await replayed(runner, former, delayed(seconds=86_400), calls)

    assert (ended.status, ended.result) == (ExecutionStatus.COMPLETED, "Ada")


async def test_a_delay_still_refuses_a_wrong_time(runner: Runner) -> None:
    former = await runner.run(delayed(seconds=0), {"who": "soon"})

    ended = await replayed(runner, former, delayed().wire("in.who > wait.until-in"))

    assert code_of(ended) == "invalid_inputs"


@pytest.mark.parametrize("calls", [RECORDED, LIVE])
@pytest.mark.parametrize("decision", list(Decision))
async def test_an_approval_takes_the_recorded_answer(
    runner: Runner, decision: Decision, calls: ReplayCalls
) -> None:
    former = await answered(runner, asking(), decision)

    ended = await replayed(runner, former, asking("Dear {{ a }}", message="New"), calls)

    assert ended.result["answer"] == former.result["answer"]
    way = "yes" if decision is Decision.APPROVE else "no"
    assert (former.result[way], ended.result[way]) == ("Hello Ada", "Dear Ada")


@pytest.mark.parametrize("onError", ["fail", "continue"])
async def test_an_approval_with_another_form_is_unmatched(runner: Runner, onError: str) -> None:
    former = await answered(runner, asking(), Decision.APPROVE)

    ended = await replayed(runner, former, asking(fields=[], onError=onError))

    assert code_of(ended) == "replay_unmatched"


async def test_a_new_approval_is_unmatched(runner: Runner) -> None:
    former = await runner.run(delayed(seconds=0), {"who": "Ada"})

    ended = await replayed(runner, former, asking())

    assert code_of(ended) == "replay_unmatched"
    assert ended.error is not None and "no answer" in ended.error["reason"]


@pytest.mark.parametrize("on_timeout", ["fail", "refuse"])
async def test_a_time_out_is_the_recorded_answer(runner: Runner, on_timeout: str) -> None:
    graph = asking(onTimeout=on_timeout)
    execution_id = await runner.begin(await runner.save(graph), {"who": "Ada"})
    [wait] = await until_waiting(runner.store, runner.account.id, execution_id)
    await bring_forward(runner.store, wait)
    former = await runner.end(execution_id)

    ended = await replayed(runner, former, graph)

    assert (ended.status, ended.result) == (former.status, former.result)
    assert code_of(ended) == code_of(former)


async def test_calls_behind_an_answer_are_still_recorded(runner: Runner, target: Target) -> None:
    graph = Graph("who").node("ask", "approval", title="Send?")
    graph.node("call", "httpRequest", method="POST", url=f"{target.url}/echo")
    graph.node("out", "responseOutput")
    graph.wire("in.who > ask.value-in", "ask.approved-out > call.body-in")
    graph.wire("call.response-out > out.result-in")
    former = await answered(runner, graph, Decision.APPROVE)

    ended = await replayed(runner, former, graph)

    assert (ended.result, target.calls.total()) == (former.result, 1)
    assert (await replayed(runner, former, graph, LIVE)).result == former.result
    assert target.calls.total() == 2
