"""`POST /api/expressions/try`: the result of an expression, or its problem, nothing recorded."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller

ROUTES = {"POST /api/expressions/try": "workflow:read"}
"""The requirement of the route on its caller, as reviewed."""

PATH = "/api/expressions/try"


def attempt(caller: Caller, expression: Any, **members: Any) -> Any:
    answer = caller.post(PATH, {"expression": expression, **members})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_expression_is_evaluated_over_a_value_and_variables(caller: Caller) -> None:
    found = attempt(caller, "value.price * rate", value={"price": 10}, variables={"rate": 1.5})

    assert found == {"result": 15, "truncated": False, "problem": None}


def test_without_a_value_it_is_null(caller: Caller) -> None:
    assert attempt(caller, "value == null")["result"] is True


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("value.", "line 1, column"),
        ("other", "other"),
        ("value.missing", "missing"),
        ("", "empty"),
        ("1 + " * 2_000 + "1", "4096"),
    ],
)
def test_a_problem_is_told_in_a_sentence(caller: Caller, expression: str, words: str) -> None:
    found = attempt(caller, expression, value={"price": 10})

    assert found["result"] is None
    assert words in found["problem"]


def test_a_large_result_is_left_out(caller: Caller) -> None:
    found = attempt(caller, "lists.range(20000)")

    assert found == {"result": None, "truncated": True, "problem": None}


def test_an_expression_that_does_not_end_is_stopped(caller: Caller) -> None:
    many = "lists.range(1000)"
    endless = f"{many}.all(a, {many}.all(b, {many}.all(c, a + b + c >= 0)))"

    assert attempt(caller, endless)["problem"]

    assert attempt(caller, "1 + 1")["result"] == 2


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "expression"),
        ({"expression": 1}, "expression"),
        ({"expression": "1", "variables": []}, "variables"),
        ({"expression": "1", "variables": {"not a name": 1}}, "variables"),
        ({"expression": "1", "variables": {f"v{n}": n for n in range(21)}}, "variables"),
    ],
)
def test_a_wrong_body_names_its_member(caller: Caller, body: Any, member: str) -> None:
    answer = caller.post(PATH, body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_BODY"
    assert answer.json()["field"] == member
