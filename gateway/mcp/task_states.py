"""States of tasks, as the extension `io.modelcontextprotocol/tasks` writes them.

A task is an execution, and its id is that of the execution: nothing about a task is kept beside
the record.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.executions.execution import Execution
from engine.executions.node_waits import WaitKind
from engine.executions.statuses import NODE_TERMINAL, TERMINAL, ExecutionStatus, NodeStatus
from engine.values.plain import moment
from gateway.waits.views import WaitView

TASKS = "io.modelcontextprotocol/tasks"
"""Identifier of the extension."""
DAY_MS = 86_400_000
POLL_MS = ((2_000, 250), (30_000, 1_000), (300_000, 2_000))
"""Ages of an execution, in milliseconds, and the interval of polls up to each."""
SLOWEST_POLL_MS = 5_000
"""Interval of polls of old executions, and of those that wait for a person."""


def task_state(
    execution: Execution,
    *,
    now: int,
    retention_days: float,
    waits: Sequence[WaitView] = (),
    result: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the members of a task; `result` is that of the call, for an execution that ended.

    A failed run is a completed task: the protocol keeps `failed` for errors of its own, and a
    result tells of the failure.
    """
    status, sentence = _status(execution, waits)
    state: dict[str, Any] = {
        "taskId": execution.id,
        "status": status,
        "createdAt": moment(execution.created_at),
        "lastUpdatedAt": moment(_updated_at(execution)),
        "ttlMs": _ttl_ms(execution, now, retention_days),
    }
    if sentence:
        state["statusMessage"] = sentence
    if status == "working":
        state["pollIntervalMs"] = _poll_ms(execution, now, waits)
    if status == "completed" and result is not None:
        state["result"] = dict(result)
    return state


def _status(execution: Execution, waits: Sequence[WaitView]) -> tuple[str, str]:
    match execution.status:
        case ExecutionStatus.COMPLETED | ExecutionStatus.FAILED:
            return "completed", ""
        case ExecutionStatus.CANCELLED:
            return "cancelled", "The run was cancelled."
        case ExecutionStatus.CANCEL_REQUESTED:
            return "working", "The run is being cancelled."
        case ExecutionStatus.PROCESSING:
            return "working", _progress(execution, waits)


def _progress(execution: Execution, waits: Sequence[WaitView]) -> str:
    if waits:
        return "; ".join(map(_wait_sentence, waits))
    if execution.started_at is None:
        return "The run waits for a worker."
    if not execution.nodes:
        return ""
    ended = sum(node.status in NODE_TERMINAL for node in execution.nodes)
    running = sum(node.status is NodeStatus.RUNNING for node in execution.nodes)
    return f"{ended} of {len(execution.nodes)} nodes have ended, {running} run."


def _wait_sentence(wait: WaitView) -> str:
    if wait.kind is WaitKind.DELAY:
        return f"Waits until {wait.until}."
    link = f" at {wait.url}" if isinstance(wait.url, str) else ""
    return f"Waits for an answer to {wait.title!r} until {wait.until}{link}."


def _updated_at(execution: Execution) -> int:
    times = [execution.created_at, execution.started_at, execution.completed_at]
    for node in execution.nodes:
        times += [node.started_at, (node.started_at or 0) + (node.duration_ms or 0)]
    return max(time for time in times if time is not None)


def _ttl_ms(execution: Execution, now: int, retention_days: float) -> int:
    """Return the time from creation for which the task is there, at least.

    The history keeps an execution from its end, so that the time of one that runs grows.
    """
    end = execution.completed_at or max(now, execution.created_at)
    return end - execution.created_at + int(retention_days * DAY_MS)


def _poll_ms(execution: Execution, now: int, waits: Sequence[WaitView]) -> int:
    if any(wait.kind is WaitKind.APPROVAL for wait in waits):
        return SLOWEST_POLL_MS
    age = now - execution.created_at
    return next((pause for until, pause in POLL_MS if age < until), SLOWEST_POLL_MS)


def is_over(execution: Execution) -> bool:
    """Return whether the task has come to its end."""
    return execution.status in TERMINAL
