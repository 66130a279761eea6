"""The reference page of expressions: its examples are right and name all functions."""

import json
import re
from pathlib import Path

import pytest

from engine.errors.nodes import NodeFailed
from engine.values import cel

PAGE = Path("docs/reference/expressions.md").read_text()
ROW = re.compile(r"^\| `(.+)` \| `(.+)` \| `(.+)` \|$", re.MULTILINE)
WORKING, FAILING = PAGE.split("## Errors")
FUNCTIONS = (
    *("sum", "sort", "distinct", "reverse", "flatten", "slice", "lists.range"),
    *("json.parse", "json.stringify", "base64.encode", "base64.decode", "cel.bind"),
    *("charAt", "indexOf", "join", "lastIndexOf", "lowerAscii", "upperAscii", "replace", "split"),
    *("substring", "trim", "format", "strings.quote", "orValue", "optional.ofNonZeroValue"),
    *("math.greatest", "math.least", "math.ceil", "math.floor", "math.round", "math.trunc"),
    *("math.abs", "math.sign", "math.sqrt", "math.isNaN", "math.isInf", "math.isFinite"),
    *("math.bitAnd", "math.bitOr", "math.bitXor", "math.bitNot"),
    *("math.bitShiftLeft", "math.bitShiftRight"),
)


@pytest.mark.parametrize(("expression", "value", "expected"), ROW.findall(WORKING))
def test_an_example_gives_what_the_page_says(expression: str, value: str, expected: str) -> None:
    assert cel.check(expression) is None

    found = cel.evaluate(expression, {"value": json.loads(value)})

    assert json.dumps(found) == json.dumps(json.loads(expected))


@pytest.mark.parametrize(("expression", "value", "message"), ROW.findall(FAILING))
def test_an_error_reads_as_the_page_says(expression: str, value: str, message: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        cel.evaluate(expression, {"value": json.loads(value)})

    assert (raised.value.code, message in raised.value.message) == ("expression_error", True)


def test_each_line_of_the_tables_is_an_example() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert len(lines) == len(ROW.findall(PAGE))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_an_example(name: str) -> None:
    assert any(f"{name}(" in expression for expression, _, _ in ROW.findall(WORKING))


@pytest.mark.parametrize("name", ["sum", "sort", "distinct", "reverse", "flatten", "slice"])
def test_each_function_of_lists_is_a_method_and_a_function(name: str) -> None:
    examples = [expression for expression, _, _ in ROW.findall(WORKING)]

    assert any(re.search(rf"[\w)]\.{name}\(", each) for each in examples)
    assert any(re.search(rf"(?<![.\w]){name}\(", each) for each in examples)
