"""Executions of public workflows of other accounts: the caller sees no details of the workflow."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.errors import ExecutionFailed
from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL

MESSAGES = {
    "INSUFFICIENT_CREDITS": "The run stopped because the credits of the account ran out",
    "MAX_CREDITS_EXCEEDED": "The run stopped because it would cost more than 'max_credits'",
    "INTERNAL_ERROR": "The execution failed unexpectedly",
}
"""Messages of errors that callers can act on, by code."""
FAILURE = "The workflow failed"


def hide_details(execution: Execution) -> Execution:
    """Return the execution of another's workflow without version, models and nodes.

    Its cost is shown at its end alone: until then, it would show the price of each node.
    """
    hidden = replace(execution, workflow_version=0, model_ids=(), nodes=())
    if execution.status in TERMINAL:
        return hidden
    return replace(hidden, credits_cost=0, micro_usd=0)


def hide_node(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return an execution's error without the node that caused it."""
    if error is None:
        return None
    code = error["code"] if error.get("code") in MESSAGES else ExecutionFailed.code
    return {"code": code, "message": MESSAGES.get(code, FAILURE)}
