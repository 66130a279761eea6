from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes.condition import Condition
from engine.nodes.support.base import WorkKind
from tests.support.graphs.graph_checkers import judge
from tests.support.nodes.node_context import run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"condition": NodeSample(WorkKind.CPU, "Utilities", {"expression": "value == null"})}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"n": 2, "deep": [1, 1.5]}, {"true-out": {"n": 2, "deep": [1, 1.5]}}),
        ({"n": 1}, {"false-out": {"n": 1}}),
    ],
)
async def test_the_value_leaves_unchanged_by_the_taken_way_alone(value: Any, expected: Any) -> None:
    assert (
        await run_node("condition", {"expression": "value.n > 1"}, {"value-in": value}) == expected
    )


async def test_null_goes_through_too() -> None:
    outputs = await run_node("condition", {"expression": "value == null"}, {"value-in": None})

    assert outputs == {"true-out": None}


@pytest.mark.parametrize("value", [1, 0, "true", None, [], {}])
async def test_what_is_no_bool_fails_the_node(value: Any) -> None:
    with pytest.raises(NodeFailed, match="a condition needs true or false") as raised:
        await run_node("condition", {"expression": "value"}, {"value-in": value})

    assert raised.value.code == "expression_error"


async def test_an_error_fails_the_node() -> None:
    with pytest.raises(NodeFailed, match="Key not found"):
        await run_node("condition", {"expression": "value.ok"}, {"value-in": {}})


def test_an_expression_that_cannot_give_a_bool_is_refused_at_save() -> None:
    with pytest.raises(SettingsError, match="gives int; a condition needs true or false"):
        Condition().parse({"expression": "size(value)"}, judge)
