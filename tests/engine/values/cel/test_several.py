"""Several expressions over the same variables."""

from typing import Any

import pytest

from engine.values.cel import several
from engine.values.cel.several import ALL, SeveralCall, decode_evaluations, evaluate_calls

VALUES = {"body": {"n": 2, "s": "x"}, "headers": {"a": "b"}}


def evaluate(
    condition: str | None, *expressions: tuple[str, str], is_thorough: bool = False, **values: Any
) -> tuple[bool, dict[str, Any], list[str]]:
    call = SeveralCall(condition, expressions, values or VALUES, is_thorough)
    [encoded] = evaluate_calls([call])
    found = decode_evaluations(encoded)
    return found.is_true, found.results, [each.name for each in found.problems]


def test_each_expression_has_a_result_or_a_problem() -> None:
    found = evaluate("body.n > 1.0", ("a", "body.n"), ("b", "body.none"), ("c", "headers.a"))

    assert found == (True, {"a": 2, "c": "b"}, ["b"])


def test_the_others_wait_for_the_condition() -> None:
    assert evaluate("false", ("a", "1")) == (False, {}, [])
    assert evaluate("false", ("a", "1"), is_thorough=True) == (False, {"a": 1}, [])
    assert evaluate("body.none", ("a", "1")) == (True, {}, ["when"])
    assert evaluate("body.none", ("a", "1"), is_thorough=True) == (True, {"a": 1}, ["when"])
    assert evaluate("1", ("a", "1")) == (True, {}, ["when"])
    assert evaluate(None, ("a", "1")) == (True, {"a": 1}, [])


def test_values_that_no_expression_takes_are_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert evaluate("true", ("a", "1"), body="\x00") == (True, {}, [ALL])
    monkeypatch.setattr(several, "MAX_VALUES_BYTES", 10)
    assert evaluate("true", ("a", "1"), body="x" * 9) == (True, {}, [ALL])


def test_all_results_have_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "MAX_RESULT_BYTES", 25)
    text = "'" + "x" * 10 + "'"

    assert evaluate(None, ("a", text), ("b", text))[2] == []
    assert evaluate(None, ("a", text), ("b", text), ("c", text)) == (True, {}, [ALL])


def test_a_text_of_the_largest_body_is_taken() -> None:
    assert evaluate("size(body) == 1048576", body="\x01" * 2**20) == (True, {}, [])
