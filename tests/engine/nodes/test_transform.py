from collections.abc import Mapping
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes.support.base import WorkKind
from engine.nodes.transform import Transform
from engine.values.cel import MAX_VALUE_BYTES
from tests.support.graphs.graph_checkers import judge
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"transform": NodeSample(WorkKind.CPU, "Utilities", {"expression": "value"})}


async def test_it_gives_what_the_expression_makes_of_the_value() -> None:
    data = {"expression": "value.map(x, x * 2.0)"}

    assert await run_node("transform", data, {"value-in": [1, 2.5]}) == {"value-out": [2, 5]}


async def test_without_a_wire_the_value_is_null() -> None:
    assert await run_node("transform", {"expression": "value == null"}) == {"value-out": True}


async def test_an_error_fails_the_node() -> None:
    with pytest.raises(NodeFailed, match="divide by zero") as raised:
        await run_node("transform", {"expression": "1 / 0"})

    assert (raised.value.code, raised.value.retryable) == ("expression_error", False)


class Untouched(FakeContext):
    async def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        raise AssertionError("nothing of this size is sent to a child process")


@pytest.mark.parametrize("type_name", ["transform", "condition"])
async def test_a_value_that_is_too_large_is_refused_before_it_is_evaluated(type_name: str) -> None:
    value = {"value-in": ["x" * MAX_VALUE_BYTES]}

    with pytest.raises(NodeFailed, match="over the limit"):
        await run_node(type_name, {"expression": "value == 1"}, value, context=Untouched())


@pytest.mark.parametrize("expression", [None, 1, [], "", "1 +", "x" * 5000])
def test_an_expression_that_is_none_is_refused(expression: Any) -> None:
    with pytest.raises(SettingsError, match="xpression"):
        Transform().parse({"expression": expression}, judge)


def test_the_reason_says_where() -> None:
    with pytest.raises(SettingsError, match="line 1, column 9"):
        Transform().parse({"expression": "value + nope"}, judge)
