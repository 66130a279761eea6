from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.nodes.merge import Merge
from engine.nodes.support.base import WorkKind
from tests.support.nodes.node_context import run_pure
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"merge": NodeSample(WorkKind.PURE, "Utilities", {"mode": "all"})}

VALUES = [[None], ["a", "b"], [["a"], {"k": 1}, 0]]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("data", [{}, {"mode": None}, {"mode": "first"}])
async def test_the_first_of_the_delivered_values_is_given(
    data: dict[str, Any], values: list[Any]
) -> None:
    assert await run_pure("merge", data, {"value-in": values}) == values[0]


@pytest.mark.parametrize("values", VALUES)
async def test_all_delivered_values_are_given_as_a_list(values: list[Any]) -> None:
    assert await run_pure("merge", {"mode": "all"}, {"value-in": values}) == values


@pytest.mark.parametrize("mode", ["", "last", 1, ["first"], False])
def test_another_mode_is_refused(mode: Any) -> None:
    with pytest.raises(SettingsError, match="mode must be one of first, all"):
        Merge().parse({"mode": mode})


def test_its_socket_takes_many_wires_and_needs_one() -> None:
    socket = Merge().inputs("first")["value-in"]

    assert (socket.many, socket.required) == (True, True)


def test_an_estimate_counts_the_longest_list_unless_the_first_value_is_sure() -> None:
    inputs = {"value-in": ["x", ["a", "b"], ["c"]]}

    assert Merge().estimate_outputs("first", inputs) == {"value-out": "x"}
    assert Merge().estimate_outputs("first", inputs, {"value-in"}) == {"value-out": ["a", "b"]}
