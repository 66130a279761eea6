"""Variables of the nodes that evaluate expressions."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes.support.expressions import MAX_VARIABLES, VARIABLES, sockets
from engine.nodes.support.settings import Faults
from engine.nodes.transform import Transform
from engine.values.cel import MAX_VALUE_BYTES
from tests.support.graphs.graph_checkers import judge
from tests.support.nodes.node_context import run_node


def read_variables(names: Any) -> tuple[str, ...]:
    faults = Faults()
    found: tuple[str, ...] = VARIABLES.read({"variables": names}, faults)
    faults.finish()
    return found


async def test_each_variable_is_a_socket_and_a_name_in_the_expression() -> None:
    data = {"expression": "a.n + b + value", "variables": ["a", "b"]}

    outputs = await run_node("transform", data, {"value-in": 1, "a": {"n": 2}, "b": 0.5})

    assert outputs == {"value-out": 3.5}
    assert list(Transform().inputs(Transform().parse(data))) == ["value-in", "a", "b"]


async def test_with_variables_the_value_may_be_left_unwired() -> None:
    data = {"expression": "value == null ? a : 'x'", "variables": ["a"]}

    assert await run_node("transform", data, {"a": "A"}) == {"value-out": "A"}


async def test_a_condition_decides_by_its_variables_and_passes_the_value_on() -> None:
    data = {"expression": "size(who) > 2", "variables": ["who"]}

    outputs = await run_node("condition", data, {"value-in": {"k": 1}, "who": "Ada"})

    assert outputs == {"true-out": {"k": 1}}


def test_a_variable_needs_a_wire_and_the_value_does_not() -> None:
    required = {name: socket.required for name, socket in sockets(["a"]).items()}

    assert required == {"value-in": False, "a": True}


@pytest.mark.parametrize(
    "name",
    [
        *("value", "", "1a", "a-b", "a b", "é", "x" * 65, None, 1, ["a"]),
        *("in", "true", "null", "if", "for", "int", "string", "list", "map", "type", "dyn"),
    ],
)
def test_a_variable_that_CEL_cannot_name_is_refused(name: Any) -> None:
    with pytest.raises(SettingsError, match=r"variables\[1\] must be a name of letters"):
        read_variables(["a", name])


@pytest.mark.parametrize("name", ["_", "a1", "size", "math", "json", "x" * 64])
def test_other_names_are_variables(name: str) -> None:
    assert read_variables([name]) == (name,)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ("a", "variables must be a list"),
        ([f"v{n}" for n in range(MAX_VARIABLES + 1)], "at most 20 names"),
        (["a", "b", "a"], "variables has 'a' more than once"),
    ],
)
def test_variables_that_are_none_are_refused(names: Any, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        read_variables(names)


def test_the_reason_for_no_expression_names_the_variables() -> None:
    with pytest.raises(SettingsError, match="CEL over 'value', 'a'"):
        Transform().parse({"variables": ["a"]}, judge)


def test_an_unknown_variable_is_refused_at_save() -> None:
    with pytest.raises(SettingsError, match="undeclared reference to 'b'"):
        Transform().parse({"expression": "a + b", "variables": ["a"]}, judge)


async def test_all_values_together_have_a_limit() -> None:
    data = {"expression": "size(a)", "variables": ["a", "b"]}
    half = "x" * (MAX_VALUE_BYTES // 2)

    with pytest.raises(NodeFailed, match="All values together are over the limit of 1048576 bytes"):
        await run_node("transform", data, {"a": half, "b": half})


async def test_a_value_that_is_refused_is_named() -> None:
    data = {"expression": "a", "variables": ["a"]}

    with pytest.raises(NodeFailed, match="The value of 'a' has a text with a NUL character"):
        await run_node("transform", data, {"a": ["\x00"]})
