"""Models in a worker: the answer of a call, its usage, and a workflow with a model."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast, get_args

import pytest

from engine.errors.nodes import NodeFailed
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.model_plan import model_plan
from engine.graph.plan import Node, compile_plan
from engine.models.calls.call_sections import CALLS, Call
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import find_model, use_models
from engine.process.pool import Pool
from tests.support.factories import Graph, Runner
from tests.support.graphs.graph_text import node
from tests.support.manifests import model
from tests.support.store.records import accept
from tests.support.workers.paying_account import PRO
from workers.nodes.context import NodeAttempt
from workers.nodes.executor import AttemptOutcome, Executor
from workers.providers.base import Fetcher, ModelAnswer, ModelCall
from workers.providers.model_caller import DIALECTS, ModelCaller

PER_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.05"\natMost = 4\n'


class Scripted:
    """Answers with the prompt, uses a given amount, and fails at the prompt `fail`."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        if values["prompt"] == "fail":
            raise NodeFailed("provider_unavailable", "It is down", retryable=True)
        return ModelAnswer(value=values["prompt"], usage=self._usage)


def drawn(model_name: str, **data: Any) -> Node:
    (found,) = compile_plan([node("m", "customModel", model=model_name, **data)], []).nodes
    return found


def work(node: Node, inputs: dict[str, Any]) -> NodeAttempt:
    return NodeAttempt(node=node, execution_inputs={}, inputs=inputs, delivered=[])


async def attempt(inputs: dict[str, Any], models: Scripted | None = None) -> AttemptOutcome:
    executor = Executor(cast(Fetcher, None), cast(Pool, None), models)
    return await executor.run(work(drawn("echo", prompt="typed"), inputs))


# -- one call -------------------------------------------------------------------------------------


def test_every_way_to_be_called_has_a_dialect() -> None:
    assert {dialect.call for dialect in DIALECTS} == set(get_args(Call))
    assert len(DIALECTS) == len(CALLS)


async def test_the_model_for_trying_out_answers_with_its_prompt() -> None:
    echo = find_model("echo")
    assert echo is not None

    answer = await ModelCaller().call(echo, {"prompt": "{{ prompt }} and all"})

    assert answer == ModelAnswer(value="{{ prompt }} and all", usage=Usage(calls=1))


async def test_a_builtin_uses_the_most_it_may() -> None:
    clip = model(category="video", pricing=PER_SECOND)

    answer = await ModelCaller().call(clip, {"prompt": "x"})

    assert answer == ModelAnswer(value="<x>", usage=Usage(calls=1, seconds=Decimal(4)))


async def test_a_field_without_a_value_is_left_out_of_the_answer() -> None:
    own = model(fields='[[fields]]\nname = "prompt"\ntype = "text"\n')

    assert (await ModelCaller().call(own, {})).value == "<>"


# -- an attempt at a node -------------------------------------------------------------------------


async def test_an_attempt_has_the_total_usage_of_its_calls() -> None:
    used = Usage(calls=1, seconds=Decimal("2.5"), output_tokens=7)

    outcome = await attempt({"prompt-in": ["a", "b", "c"]}, Scripted(used))

    assert outcome.outputs == {"text-out": ["a", "b", "c"]}
    assert outcome.usage == Usage(calls=3, seconds=Decimal("7.5"), output_tokens=21)


class Replaced(Scripted):
    """Another model answers at the prompt `b`."""

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        answer = await super().call(model, values, model_call)
        return replace(answer, micro_usd=700) if values["prompt"] == "b" else answer


async def test_cost_of_other_models_is_counted_by_itself() -> None:
    outcome = await attempt({"prompt-in": ["a", "b", "b"]}, Replaced(Usage(calls=1)))

    assert (outcome.usage, outcome.fallback_micro_usd) == (Usage(calls=1), 1400)


async def test_each_attempt_counts_for_itself() -> None:
    executor = Executor(cast(Fetcher, None), cast(Pool, None))
    echo = drawn("echo", prompt="typed")

    outcomes = [await executor.run(work(echo, {})) for _ in range(2)]

    assert [each.usage for each in outcomes] == [Usage(calls=1)] * 2


async def test_an_attempt_that_failed_has_used_nothing_that_is_charged() -> None:
    outcome = await attempt({"prompt-in": ["a", "fail"]}, Scripted(Usage(calls=1)))

    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == ("provider_unavailable", True)
    assert outcome.usage == Usage()


async def test_usage_of_an_attempt_is_bounded_by_the_most_it_may_use() -> None:
    inputs = {"prompt-in": ["a", "b"]}
    echo = drawn("echo", prompt="typed")

    outcome = await attempt(inputs)

    assert outcome.usage == echo.type.max_usage(echo.settings, inputs) == Usage(calls=2)


# -- in a whole worker ----------------------------------------------------------------------------


async def run(runner: Runner, graph: Graph, inputs: dict[str, Any]) -> Execution:
    workflow, plan = await runner.store.workflows.plan(await runner.save(graph))
    assert plan is not None
    ids, channel = (runner.account, workflow, plan), runner.notifier.channel
    accepted = await accept(runner.store, *ids, inputs, notifier=channel, terms=PRO)
    return await runner.end(accepted.id)


@pytest.mark.usefixtures("walker")
async def test_a_workflow_with_a_model_runs(runner: Runner) -> None:
    graph = (
        Graph("topic")
        .node("m", "customModel", model="echo")
        .node("t", "textBox", text="It said: {{ a }}")
        .node("out", "responseOutput")
        .wire("in.topic > m.prompt-in", "m.text-out > t.a", "t.text-out > out.result-in")
    )

    execution = await run(runner, graph, {"topic": "cats"})

    assert execution.result == {"text": "It said: cats"}
    assert execution.model_ids == ("echo",)
    assert execution.credits_cost == 13


@pytest.mark.usefixtures("walker")
async def test_a_list_fans_out_and_comes_back_in_order(runner: Runner) -> None:
    items = [{"value": f"item {number}"} for number in range(20)]
    graph = (
        Graph()
        .node("l", "list", items=items)
        .node("m", "customModel", model="echo")
        .node("out", "responseOutput")
        .wire("l.items-out > m.prompt-in", "m.text-out > out.result-in")
    )

    execution = await run(runner, graph, {})

    assert execution.result == [item["value"] for item in items]
    assert execution.credits_cost == 20 * 13


@pytest.mark.usefixtures("walker")
async def test_values_that_do_not_fit_fail_the_execution_with_a_sentence(runner: Runner) -> None:
    graph = (
        Graph()
        .node("x", "transform", expression="5.0")
        .node("m", "customModel", model="echo")
        .node("out", "responseOutput")
        .wire("x.value-out > m.prompt-in", "m.text-out > out.result-in")
    )

    execution = await run(runner, graph, {})

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["reason"] == "'prompt' must be a text, not a number"
    assert execution.credits_cost == 0


@pytest.mark.usefixtures("walker")
async def test_a_run_of_one_model_is_walked_as_a_workflow_of_one_node(runner: Runner) -> None:
    painter = model("painter", category="image")

    with use_models([painter]):
        ids, channel = (runner.account, None, model_plan(painter)), runner.notifier.channel
        inputs = {"prompt": "a cat"}
        accepted = await accept(runner.store, *ids, inputs, notifier=channel, terms=PRO)
        execution = await runner.end(accepted.id)

    assert execution.result == {"images": ["<a cat>"]}
    assert (execution.workflow_slug, execution.model_ids) == ("", ("painter",))
    assert [node.status for node in execution.nodes] == [NodeStatus.COMPLETED] * 3
