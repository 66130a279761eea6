"""Errors of public runs, as their callers see them."""

import pytest

from engine.executions.public_runs import hide_node

NODE = {"nodeId": "sum", "nodeType": "transform", "reason": "no such key", "nodeCode": "bad"}


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("EXECUTION_FAILED", "EXECUTION_FAILED"),
        ("INSUFFICIENT_CREDITS", "INSUFFICIENT_CREDITS"),
        ("MAX_CREDITS_EXCEEDED", "MAX_CREDITS_EXCEEDED"),
        ("INTERNAL_ERROR", "INTERNAL_ERROR"),
        ("ANY_OTHER", "EXECUTION_FAILED"),
    ],
)
def test_an_error_keeps_its_code_where_callers_can_act_on_it(code: str, shown: str) -> None:
    error = hide_node({"code": code, "message": "Node 'sum' failed: no such key", **NODE})

    assert error is not None
    assert set(error) == {"code", "message"}
    assert error["code"] == shown
    assert not [each for each in NODE.values() if each in error["message"]]


def test_no_error_is_none() -> None:
    assert hide_node(None) is None
