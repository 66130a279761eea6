"""Expectations over outcomes of runs, evaluated by real child processes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.services.expressions import Expressions
from engine.services.workflow_tests.expectations import evaluate_inputs, see_expectations

OUTCOME: dict[str, Any] = {
    "result": {"text": "Hello Ada", "score": 4},
    "nodes": {"m": {"status": "completed", "outputs": {"text-out": "Hello"}, "creditsCost": 3}},
    "cost": 3,
    "ms": 120,
    "status": "completed",
    "judge": 4.5,
}


@pytest.fixture
async def expressions() -> AsyncIterator[Expressions]:
    found = Expressions()
    yield found
    await found.close()


async def test_expectations_that_hold_are_met(expressions: Expressions) -> None:
    texts = [
        'result.text.contains("Ada")',
        "cost <= 3.0 && cost <= 3 && ms < 5000",
        'nodes.m.outputs["text-out"] == "Hello"',
        "judge >= 4.0",
        'status == "completed"',
        "nodes.all(id, nodes[id].creditsCost < 5.0)",
    ]

    seen = await see_expectations(expressions, "acc", texts, OUTCOME)

    assert [(each.met, each.reason) for each in seen] == [(True, None)] * len(texts)


async def test_those_that_are_false_show_the_values_that_they_saw(
    expressions: Expressions,
) -> None:
    texts = ["cost == 3.0", 'result.text == "Bye"', "judge > 4.5 || cost > 5.0"]

    seen = await see_expectations(expressions, "acc", texts, OUTCOME)

    assert [(each.expression, each.met, each.values) for each in seen] == [
        (texts[0], True, {"cost": 3}),
        (texts[1], False, {"result.text": "Hello Ada"}),
        (texts[2], False, {"judge": 4.5, "cost": 3}),
    ]


async def test_those_that_cannot_be_evaluated_say_why(expressions: Expressions) -> None:
    texts = ["result.nothing == 1.0", "result.score", "cost < 5.0"]

    seen = await see_expectations(expressions, "acc", texts, OUTCOME)

    assert [(each.met, each.values) for each in seen] == [
        (None, {"result": OUTCOME["result"]}),
        (None, {"result.score": 4}),
        (True, {"cost": 3}),
    ]
    assert "nothing" in (seen[0].reason or "")
    assert seen[1].reason == "The expression gave a number; a condition needs true or false"


async def test_an_endless_expression_fails_alone(expressions: Expressions) -> None:
    many = "lists.range(3000)"
    endless = f"{many}.all(a, {many}.all(b, {many}.all(c, a + b + c >= 0)))"

    seen = await see_expectations(expressions, "acc", ["true", endless], OUTCOME)

    assert [(each.met, bool(each.reason)) for each in seen] == [(True, False), (None, True)]


async def test_inputs_of_a_judge_are_results_by_name(expressions: Expressions) -> None:
    texts = {"text": "result.text", "cost": "cost", "wrong": "result.nothing"}

    found = await evaluate_inputs(expressions, "acc", texts, OUTCOME)

    assert found.results == {"text": "Hello Ada", "cost": 3}
    assert [each.name for each in found.problems] == ["wrong"]
