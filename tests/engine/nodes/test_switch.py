from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes.support.base import WorkKind
from engine.nodes.switch import Switch
from tests.support.graphs.graph_checkers import judge
from tests.support.nodes.node_context import run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "switch": NodeSample(
        WorkKind.CPU, "Utilities", {"cases": [{"name": "none", "when": "value == null"}]}
    )
}

CASES = [{"name": "small", "when": "value < 10.0"}, {"name": "medium_1", "when": "value < 100.0"}]


@pytest.mark.parametrize(
    ("value", "socket"), [(1, "small"), (10, "medium_1"), (100, "else-out"), (1.5, "small")]
)
async def test_the_value_leaves_by_the_first_case_that_is_true(value: Any, socket: str) -> None:
    outputs = await run_node("switch", {"cases": CASES}, {"value-in": value})

    assert outputs == {socket: value}


async def test_cases_read_the_variables() -> None:
    data = {"cases": [{"name": "over", "when": "total > limit"}], "variables": ["total", "limit"]}

    outputs = await run_node("switch", data, {"value-in": "x", "total": 3, "limit": 2.5})

    assert outputs == {"over": "x"}


async def test_a_case_behind_the_one_that_is_taken_is_not_evaluated() -> None:
    cases = [{"name": "a", "when": "true"}, {"name": "b", "when": "value.nope"}]

    assert await run_node("switch", {"cases": cases}, {"value-in": {}}) == {"a": {}}


@pytest.mark.parametrize(
    ("when", "value", "message"),
    [
        ("value.nope", {}, "Key not found"),
        ("value", 1, "The expression gave a number; a condition needs true or false"),
    ],
)
async def test_a_case_that_gives_no_bool_fails_the_node(
    when: str, value: Any, message: str
) -> None:
    with pytest.raises(NodeFailed, match=message) as raised:
        await run_node("switch", {"cases": [{"name": "a", "when": when}]}, {"value-in": value})

    assert raised.value.code == "expression_error"


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        (None, "cases must be a list of 1 to 20 objects"),
        ([], "cases must be a list of 1 to 20 objects"),
        ({"name": "a", "when": "true"}, "cases must be a list of 1 to 20 objects"),
        (CASES * 11, "cases must be a list of 1 to 20 objects"),
        (["a"], r"cases\[0\] must be an object with name and when"),
        ([*CASES, {"when": "true"}], r"cases\[2\].name must be a text of 1 to 64 letters"),
        ([{"name": "a-b", "when": "true"}], r"cases\[0\].name must be a text of 1 to 64 letters"),
        ([{"name": "x" * 65, "when": "true"}], r"cases\[0\].name must be a text of 1 to 64"),
        ([*CASES, CASES[0]], r"cases\[2\].name: 'small' is the name of another case"),
        ([{"name": "a"}], r"cases\[0\].when must be a text: CEL over 'value'"),
        ([{"name": "a", "when": "1"}], r"cases\[0\].when: The expression gives int; a condition"),
        ([{"name": "a", "when": "nope"}], r"cases\[0\].when: .*undeclared reference to 'nope'"),
    ],
)
def test_cases_that_are_none_are_refused(cases: Any, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        Switch().parse({"cases": cases}, judge)


def test_all_reasons_are_told_at_once() -> None:
    cases = [{"name": "a", "when": "1"}, {"name": "", "when": "true"}]

    with pytest.raises(SettingsError) as raised:
        Switch().parse({"cases": cases}, judge)

    assert len(raised.value.reasons) == 2


def test_there_is_an_output_per_case_and_one_for_the_others() -> None:
    switch = Switch()
    settings = switch.parse({"cases": CASES, "variables": ["limit"]})

    assert list(switch.outputs(settings)) == ["small", "medium_1", "else-out"]
    assert list(switch.inputs(settings)) == ["value-in", "limit"]
