"""Nodes of replays: recorded outcomes stand for calls, and nobody is called or charged."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.executions.statuses import ExecutionStatus, NodeStatus
from tests.support.factories import Graph
from tests.support.replays.replayed_runs import LIVE, code_of, replay
from tests.support.workers.paying_account import PRICE, PayingAccount, answer, model_node

COMPLETED, FAILED = ExecutionStatus.COMPLETED, ExecutionStatus.FAILED
URL = "https://example.com/"


@pytest.fixture(autouse=True)
async def open_gate(payer: PayingAccount) -> AsyncIterator[None]:
    payer.held_walker.gate.opened.set()
    yield


def calls(payer: PayingAccount) -> tuple[int, int]:
    """Return the calls of models, and those over HTTP."""
    return len(payer.models.calls), len(payer.held_walker.gate.calls)


def chain(end: str = "{{ a }}", prompt: str = "To {{ who }}", **policy: Any) -> Graph:
    """Return a graph: a model, a call with its answer, and a text with that."""
    graph = Graph("who").node("ask", "textBox", text=prompt)
    graph.node("one", "customModel", model="echo")
    graph.node("call", "httpRequest", method="POST", url=URL, **policy)
    graph.node("text", "textBox", text=end).node("out", "responseOutput")
    return graph.wire(
        *("in.who > ask.who", "ask.text-out > one.prompt-in", "one.text-out > call.body-in"),
        *("call.response-out > text.a", "text.text-out > out.result-in"),
    )


async def test_equal_nodes_take_recorded_outputs_and_cost_nothing(payer: PayingAccount) -> None:
    former = await payer.run(chain(), {"who": "Ada"})
    before = calls(payer)

    same = await replay(payer, former, chain())
    changed = await replay(payer, former, chain("Dear {{ a }}"))

    assert (former.result, before) == ({"text": "done"}, (1, 1))
    assert (same.status, same.result, same.source) == (COMPLETED, former.result, "replay")
    assert changed.result == {"text": "Dear done"}
    assert calls(payer) == before
    assert (same.credits_cost, changed.credits_cost) == (0, 0)
    assert await payer.paid(PRICE)


@pytest.mark.parametrize("policy", [{}, {"onError": "continue"}, {"wire": "call.error-out"}])
async def test_a_node_that_differs_is_not_called(
    payer: PayingAccount, policy: dict[str, Any]
) -> None:
    former = await payer.run(chain(), {"who": "Ada"})
    before = calls(payer)
    wire = policy.pop("wire", None)
    other = chain(**policy).node("late", "textBox", text="x")
    if wire is not None:
        other.wire(f"{wire} > out.result-in")
    other.nodes[3]["data"]["headers"] = {"X-Other": "1"}

    ended = await replay(payer, former, other)

    assert (ended.status, code_of(ended)) == (FAILED, "replay_unmatched")
    assert ended.error is not None and ended.error["nodeId"] == "call"
    assert ended.error["retryable"] is False
    assert calls(payer) == before
    assert ended.credits_cost == 0


async def test_inputs_that_differ_leave_the_nodes_after_them_unmatched(
    payer: PayingAccount,
) -> None:
    former = await payer.run(chain(), {"who": "Ada"})

    ended = await replay(payer, former, chain(prompt="For {{ who }}"))

    assert code_of(ended) == "replay_unmatched"
    assert ended.error is not None and ended.error["nodeId"] == "one"
    assert calls(payer) == (1, 1)


async def test_policies_ids_and_new_fields_are_no_difference(payer: PayingAccount) -> None:
    former = await payer.run(chain(), {"who": "Ada"})
    other = Graph("who", "more")
    other.node("ask", "textBox", text="To {{ who }}")
    other.node("uno", "customModel", model="echo", retry={"attempts": 3})
    other.node("call", "httpRequest", method="POST", url=URL, timeoutSeconds=5)
    other.node("out", "responseOutput")
    other.wire("in.who > ask.who", "ask.text-out > uno.prompt-in", "uno.text-out > call.body-in")

    ended = await replay(payer, former, other.wire("call.response-out > out.result-in"))

    assert ended.result == "done"
    assert calls(payer) == (1, 1)


async def test_a_node_with_a_newly_wired_output_that_is_on_record_is_the_same(
    payer: PayingAccount,
) -> None:
    graph = Graph().node("call", "httpRequest", url=URL).node("out", "responseOutput")
    former = await payer.run(graph.wire("call.response-out > out.result-in"))
    other = Graph().node("call", "httpRequest", url=URL)
    other.node("out", "responseOutput", fields=[{"name": "code"}, {"name": "text"}])
    other.wire("call.status-out > out.code", "call.response-out > out.text")

    ended = await replay(payer, former, other)

    # A status of 400 would fail the one and not the other, so they are not the same.
    assert code_of(ended) == "replay_unmatched"


@pytest.mark.parametrize("handling", ["fail", "continue", "error-out"])
async def test_a_recorded_failure_is_taken_like_an_output(
    payer: PayingAccount, handling: str
) -> None:
    policy = {"onError": "continue"} if handling == "continue" else {}
    graph = Graph().node("call", "httpRequest", url=f"{URL}fail", **policy)
    graph.node("out", "responseOutput").wire("call.response-out > out.result-in")
    if handling == "error-out":
        graph.wire("call.error-out > out.result-in")
    former = await payer.run(graph)
    before = calls(payer)

    ended = await replay(payer, former, graph)

    assert (ended.status, ended.result) == (former.status, former.result)
    assert ended.error == former.error or handling == "fail"
    assert code_of(ended) == code_of(former)
    assert calls(payer) == before


async def test_a_node_cut_short_by_a_failure_comes_after_that_failure(
    payer: PayingAccount,
) -> None:
    graph = Graph().node("held", "customModel", model="echo", prompt="held")
    graph.node("first", "textBox", text="x")
    graph.node("call", "httpRequest", method="POST", url=f"{URL}fail")
    graph.node("out", "responseOutput")
    graph.wire("first.text-out > call.body-in", "held.text-out > out.result-in")
    graph.wire("call.response-out > out.result-in")
    payer.models.held = {"held"}
    former = await payer.run(graph)

    ended = await replay(payer, former, graph)

    assert code_of(former) == code_of(ended) == "http_status"
    assert [node.status for node in former.nodes if node.status is NodeStatus.CANCELLED]


async def test_two_equal_calls_keep_their_own_answers(payer: PayingAccount) -> None:
    answers = iter(["heads", "tails"])

    async def toss(model: Any, values: Any, call: Any) -> Any:
        payer.models.answers["toss"] = next(answers)
        payer.models.substitute = None
        try:
            return await payer.models.call(model, values, call)
        finally:
            payer.models.substitute = toss

    payer.models.substitute = toss
    graph = Graph().node("out", "responseOutput", fields=[{"name": "a"}, {"name": "b"}])
    for name in ("a", "b"):
        model_node(graph, name, prompt="toss").wire(f"{name}.text-out > out.{name}")
    former = await payer.run(graph)

    ended = await replay(payer, former, graph)

    assert sorted(former.result.values()) == ["heads", "tails"]
    assert ended.result == former.result


async def test_large_outputs_become_objects_of_the_new_execution(payer: PayingAccount) -> None:
    payer.models.answers["one"] = "x" * 300_000
    graph = answer(model_node(Graph(), "one"), "one")
    former = await payer.run(graph)

    ended = await replay(payer, former, graph)

    assert (ended.status, len(payer.models.calls)) == (COMPLETED, 1), ended.error
    assert ended.result == former.result
    [name] = [node.outputs for node in ended.nodes if isinstance(node.outputs, str)]
    content = await payer.store.offloaded.read(payer.account.id, ended.id, name)
    assert len(content) > 300_000


async def test_live_calls_are_made_and_charged(payer: PayingAccount) -> None:
    former = await payer.run(chain(), {"who": "Ada"})

    ended = await replay(payer, former, chain("Dear {{ a }}"), LIVE)

    assert ended.result == {"text": "Dear done"}
    assert calls(payer) == (2, 2)
    assert (ended.credits_cost, ended.source) == (PRICE, "replay")
    assert await payer.paid(2 * PRICE)
