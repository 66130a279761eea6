import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given

from engine.errors.nodes import NodeFailed
from engine.values import cel
from tests.engine.values.test_plain import PLAIN
from tests.support.process.cpu_time import cpu_limit


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("value", None, None),
        ("value.a", {"a": [1, 2.5, "x", None, True]}, [1, 2.5, "x", None, True]),
        ("value + 1.0", 1, 2),
        ("value * 2.0", 1.25, 2.5),
        ("value > 3", 4, True),
        ("value == 3", 3, True),
        ("1 + 2", None, 3),
        ("1 / 2", None, 0),
        ("size(value)", [1, 2], 2),
        ("value[0]", ["a"], "a"),
        ("value.filter(x, x.price > 10).map(x, x.name)", [{"price": 11, "name": "a"}], ["a"]),
        ("{'n': value.a, 'm': [1u, 2.0]}", {"a": 1}, {"n": 1, "m": [1, 2]}),
        ("has(value.a) ? value.a : 'none'", {}, "none"),
        ("value", 2**53, 2**53),
        ("value", 1e300, 1e300),
        ("value", -0.0, 0),
        ("string(timestamp('2020-01-01T00:00:00Z'))", None, "2020-01-01T00:00:00Z"),
        ("value.startsWith('a') && value.matches('^a+$')", "aaa", True),
        ("'\\x00' + value", "é", "\x00é"),
        ('value["v"].map(x, x)', {"v": [1]}, [1]),
        ('value["v"].filter(x, x > 1.0)', {"v": [1, 2]}, [2]),
        ("value['a']['b'].exists(x, x == 1.0)", {"a": {"b": [1]}}, True),
        ("sum([1, 2u, 3])", None, 6),
        ("value.sum()", [0.5, 1], 1.5),
        ("value.reverse()", "aé☃", "☃éa"),
        ("value.distinct()", [1, 1.0, True, "1", None, None], [1, True, "1", None]),
        ("value.slice(2, 1)", [1, 2, 3], []),
        ("value.slice(value[0], 2)", [1, 2, 3], [2]),
        ("[[]].flatten()", None, []),
        ("value.sort()", [], []),
        ("lists.range(0)", None, []),
        ("lists.range(value)", 2, [0, 1]),
        ("json.stringify(value) == json.stringify(json.parse(json.stringify(value)))", [1], True),
        ("json.stringify(1.0) + json.stringify('ü') + json.stringify(null)", None, '1"ü"null'),
        ("json.parse('[1, 2]').sum() + 0.5", None, 3.5),
    ],
)
def test_an_expression_gives_a_plain_value(expression: str, value: Any, expected: Any) -> None:
    assert cel.check(expression) is None

    found = cel.evaluate(expression, {"value": value})

    assert found == expected
    assert type(found) is type(expected)


@given(value=PLAIN.filter(lambda value: "\\u0000" not in json.dumps(value)))
def test_a_value_comes_back_as_it_went_in_but_for_doubles(value: Any) -> None:
    def as_double(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: as_double(member) for key, member in item.items()}
        if isinstance(item, list):
            return [as_double(member) for member in item]
        return float(item) if isinstance(item, int) and not isinstance(item, bool) else item

    assert as_double(cel.evaluate("value", {"value": value})) == as_double(value)


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("1/0", None, "divide by zero"),
        ("[1/0]", None, "divide by zero"),
        ("value.a", {}, 'Key not found in map : "a"'),
        ("value.a", 1, "a member is read of a value that has none"),
        ("value.a", None, "a member is read of a value that has none"),
        ("value.a", [1], "a member is read of a value that has none"),
        ("value + 1", 1, "write 1.0 instead of 1"),
        ("value ? 1 : 0", "x", "No matching overloads"),
        ("9223372036854775807 + 1", None, "overflow"),
        ("value / 0.0", 1, "not finite"),
        ("0.0 / 0.0", None, "not finite"),
        ("[[0.0 / 0.0]]", None, "not finite"),
        ("{1: 2}", None, "object key"),
        ("{'a': 1, 'a': 2}", None, "duplicate key"),
        ("b'abc'", None, "has a bytes value; make it a text with string(…)"),
        ("[timestamp('2020-01-01T00:00:00Z')]", None, "has a timestamp"),
        ("duration('1s')", None, "has a duration"),
        ("type(1)", None, "JSON cannot express"),
        ("value", "a\x00b", "NUL character"),
        ("value", {"\x00": [1]}, "NUL character"),
        ("value", "\ud800", "unpaired surrogate"),
        ("value", float("nan"), "not finite"),
        ("value", "x" * cel.MAX_VALUE_BYTES, "over the limit of 1048576 bytes"),
        ("value.map(x, value)", ["x" * 1000] * 200, "over the limit of 10485760 bytes"),
        ("value.exists(a, value.exists(b, value.exists(c, false)))", [1] * 100, "budget exceeded"),
        ("1 +", None, "line 1, column 4"),
        ("value.sum()", [True], "sum takes a list of numbers"),
        ("value.sum()", "abc", "No matching overloads"),
        ("[9223372036854775807, 9223372036854775807].sum() * 2", None, "sum is over 64 bits"),
        ("value.sum()", [1e308, 1e308], "not finite"),
        ("value.sort()", [1, None], "sort takes a list of numbers or a list of texts"),
        ("value.slice(0, 1.5)", [1], "slice takes whole numbers from 0"),
        ("value.slice(0, 1.0 / 0.0)", [1], "slice takes whole numbers from 0"),
        ("lists.range(-1)", None, "lists.range takes whole numbers from 0"),
        ("lists.range(100001)", None, "lists.range takes at most 100000"),
        ("lists.range(10001).map(x, x)", None, "budget exceeded"),
        ("json.parse(value)", "NaN", "json.parse takes a text that is JSON"),
        ("json.parse(value)", "[" * 70 + "]" * 70, "nested more than 64 levels deep"),
        ("json.parse(value)", '"\\u0000"', "the value has a text with a NUL character"),
        ("json.stringify(b'a')", None, "found no matching overload"),
        ("json.stringify([b'a'])", None, "json.stringify: the value has a bytes value"),
        ("json.stringify({1: 2})", None, "object key"),
        ("json.stringify(value.map(x, value))", ["x" * 1000] * 200, "at most 10485760 bytes"),
        ("value.?a", {}, "take what it holds with orValue"),
        ("[value.?a]", {}, "take what it holds with orValue"),
    ],
)
def test_an_error_at_run_time_fails_the_node(expression: str, value: Any, expected: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        cel.evaluate(expression, {"value": value})

    assert raised.value.code == "expression_error"
    assert expected in raised.value.message
    assert "\n" not in raised.value.message and len(raised.value.message) < 500


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("1 +", "line 1, column 4: Syntax error"),
        ("optional.of(1)", "gives an optional value; take what it holds with orValue(…)"),
        ("\n  foo", "line 2, column 3: undeclared reference to 'foo'"),
        ("'a' + 1", "line 1, column 5: found no matching overload"),
        ("value.upper()", "undeclared reference to 'upper'"),
        ("__import__('os')", "undeclared reference to '__import__'"),
        ("'\\ud800'", "Invalid string literal"),
        ("\ud800", "must be valid text"),
        ("x" * 4097, "at most 4096 bytes"),
        ("é" * 2049, "at most 4096 bytes"),
        ("(" * 1000 + "1" + ")" * 1000, "recursion limit"),
        ("[" * 2000 + "]" * 2000, "recursion"),
    ],
)
def test_what_is_wrong_with_an_expression_is_a_sentence_with_its_place(
    expression: str, expected: str
) -> None:
    reason = cel.check(expression)

    assert reason is not None and expected in reason
    assert "\n" not in reason and len(reason) < 500


@pytest.mark.parametrize("expression", ["1", "'true'", "value + 1", "[true]", "value.map(x, x)"])
def test_a_condition_that_cannot_give_a_bool_is_refused_at_save(expression: str) -> None:
    assert "needs true or false" in str(cel.check(expression, is_condition=True))


@pytest.mark.parametrize("expression", ["true", "value", "value.ok", "value > 1", "has(value.a)"])
def test_a_condition_that_may_give_a_bool_is_taken(expression: str) -> None:
    assert cel.check(expression, is_condition=True) is None


@pytest.mark.parametrize(
    "expression",
    [
        "value.a.b.c.d.e||" * 230 + "true",
        "[" + "1," * 2000 + "1]",
        "value.matches('(a+)+$')||" * 9 + "true",
    ],
)
def test_the_longest_expressions_compile_in_no_time(expression: str) -> None:
    with cpu_limit(0.1):
        assert cel.check(expression) is None


def test_a_check_keeps_no_compiled_expression() -> None:
    before = cel._compile.cache_info().currsize

    assert cel.check("value + 123.0") is None

    assert cel._compile.cache_info().currsize == before


def test_a_type_that_only_the_check_refuses_is_a_fault() -> None:
    assert "Unsupported map key type" in str(cel.check("[1].map(a, {a: a}).map(b, {b: b})"))


@pytest.mark.parametrize("expression", ["value", "[value][0]", "json.parse(json.stringify(value))"])
def test_members_come_in_the_order_of_their_names(expression: str) -> None:
    value = {name: {"b": 1, "a": 2} for name in "sample"}

    found = cel.evaluate_as_json(expression, {"value": value})

    assert found == json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_the_library_is_loaded_only_when_it_is_needed() -> None:
    code = "import sys, engine.values.cel; sys.exit('cel_expr_python' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
