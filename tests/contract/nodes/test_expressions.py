from typing import Any

import pytest

from tests.contract.nodes.test_nodes import given, to_out
from tests.support.contract.installation import Caller, workflow
from tests.support.gateway.documents import edge, node


def computing(expression: str) -> dict[str, Any]:
    """Return a workflow that answers with an expression of its field `v`."""
    nodes = given(node("sum", "transform", expression=expression))
    return workflow(nodes, [edge("in", "params", "sum", "value-in"), to_out("sum", "value-out")])


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("math.round(value.v.map(x, x.p).sum() * 100.0) / 100.0", [{"p": 0.111}, {"p": 2}], 2.11),
        ('value["v"].map(x, x.lowerAscii()).sort().join(", ")', ["B", "a"], "a, b"),
        ("sort(distinct(flatten(value.v)))", [[2, 1], [2]], [1, 2]),
        ("value.v.slice(0, 2).reverse()", [1, 2, 3], [2, 1]),
        ("lists.range(3)", None, [0, 1, 2]),
        ("value.v.split('-').map(x, int(x)).sum()", "1-2", 3),
        ("json.parse(value.v).a", '{"a": [1]}', [1]),
        ("json.stringify(value.v)", {"a": [1]}, '{"a":[1]}'),
        ("base64.encode(bytes(value.v))", "abc", "YWJj"),
        ("value.v.?a.orValue('none')", {}, "none"),
        ("cel.bind(x, value.v, x + x)", "a", "aa"),
    ],
)
def test_functions_of_expressions(
    caller: Caller, expression: str, value: Any, expected: Any
) -> None:
    answer = caller.run(caller.save(computing(expression)), {"v": value})

    assert answer.json()["result"] == expected


@pytest.mark.parametrize("value", ["a\x00b", ["\x00"], {"\x00": 1}])
def test_a_NUL_character_is_refused_at_the_input(caller: Caller, value: Any) -> None:
    answer = caller.run(caller.save(computing("value.v")), {"v": value})

    assert answer.status_code == 400
    assert answer.json() == answer.json() | {"code": "INVALID_INPUTS", "field": "v"}
    assert "NUL" in answer.json()["reason"]


def test_a_workflow_without_expressions_takes_a_NUL_character(caller: Caller) -> None:
    slug = caller.save(workflow(given(), [to_out("in", "params")]))

    assert caller.run(slug, {"v": "a\x00b"}).json()["result"] == {"v": "a\x00b"}


def test_an_expression_that_explodes_fails_its_node_alone(caller: Caller) -> None:
    doubled = "value.v"
    for name in "abcdefghijklmnopqrstuvwxyz":
        doubled = f"cel.bind({name}, {doubled}, {name} + {name})"
    slug = caller.save(computing(f"size({doubled})"))

    answer = caller.run(slug, {"v": "x" * 1_000})

    assert (answer.status_code, answer.json()["nodeId"]) == (500, "sum")
    assert caller.run(caller.save(computing("size(value.v)")), {"v": "x"}).json()["result"] == 1
