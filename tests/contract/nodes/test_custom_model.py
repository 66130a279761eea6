"""Custom Model over HTTP, with the model that answers with its prompt."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller, workflow
from tests.support.gateway.documents import edge, node

OUT = node("out", "responseOutput")
TO_OUT = edge("m", "text-out", "out", "result-in")
THREE = node("l", "list", items=[{"value": "a"}, {"value": "b", "included": False}, {"value": "c"}])


def echo(**data: Any) -> dict[str, Any]:
    return node("m", "customModel", **{"model": "echo", **data})


@pytest.mark.parametrize("data", [{"prompt": "hello"}, {"values": {"prompt": "hello"}}])
def test_a_model_is_called_with_the_values_typed_on_its_node(
    caller: Caller, data: dict[str, Any]
) -> None:
    assert caller.result([echo(**data), OUT], [TO_OUT], {}) == {"text": "hello"}


def test_a_wired_socket_overrides_what_is_typed(caller: Caller) -> None:
    nodes = [node("t", "textBox", text="wired"), echo(prompt="typed"), OUT]

    result = caller.result(nodes, [edge("t", "text-out", "m", "prompt-in"), TO_OUT], {})

    assert result == {"text": "wired"}


def test_a_list_gives_one_output_per_included_item_in_order(caller: Caller) -> None:
    edges = [edge("l", "items-out", "m", "prompt-in"), TO_OUT]

    assert caller.result([THREE, echo(), OUT], edges, {}) == ["a", "c"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"model": "no-such-model"}, "There is no model 'no-such-model' here"),
        ({"prompt": 5}, "'prompt' must be a text, not a number"),
        ({}, "Nothing is wired to the input socket 'prompt-in'"),
    ],
)
def test_an_unknown_model_and_a_value_that_does_not_fit_are_problems_at_save(
    caller: Caller, data: dict[str, Any], reason: str
) -> None:
    answer = caller.create(workflow([echo(**data), OUT], []))

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_GRAPH"
    assert {"nodeId": "m", "reason": reason} in answer.json()["problems"]
