"""A task says what the record of its execution says."""

from typing import Any

import pytest

from engine.executions.execution import Execution, NodeExecution
from engine.executions.node_waits import WaitKind
from engine.executions.statuses import ExecutionStatus, NodeStatus
from gateway.mcp.task_states import SLOWEST_POLL_MS, task_state
from gateway.waits.views import WaitView

CREATED = 1_767_225_600_000
DAY = 86_400_000
RESULT = {"content": [], "isError": True}


def execution(status: ExecutionStatus = ExecutionStatus.PROCESSING, **more: Any) -> Execution:
    known = {"id": "e1", "account_id": "a1", "workflow_slug": "letter", "workflow_version": 1}
    members = {"source": "mcp", "created_at": CREATED, "started_at": CREATED + 5}
    return Execution(**known, **(members | more), status=status)


def node(status: NodeStatus, started: int | None = None, took: int | None = None) -> NodeExecution:
    return NodeExecution(index=0, status=status, started_at=started, duration_ms=took)


def wait(kind: WaitKind = WaitKind.APPROVAL, **more: Any) -> WaitView:
    times = {"since": "2026-01-01T00:00:00.000Z", "until": "2026-01-08T00:00:00.000Z"}
    return WaitView(node_id="ask", kind=kind, **times, **more)


def state(of: Execution, now: int = CREATED + 1_000, **more: Any) -> dict[str, Any]:
    return task_state(of, now=now, retention_days=30, **more)


def test_a_new_run_is_a_task_that_works() -> None:
    assert state(execution(started_at=None), now=CREATED) == {
        "taskId": "e1",
        "status": "working",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "lastUpdatedAt": "2026-01-01T00:00:00.000Z",
        "ttlMs": 30 * DAY,
        "statusMessage": "The run waits for a worker.",
        "pollIntervalMs": 250,
    }


def test_an_ended_run_has_its_result_and_no_interval() -> None:
    done = execution(ExecutionStatus.COMPLETED, completed_at=CREATED + 7_000)

    assert state(done, result={"content": []}) == {
        "taskId": "e1",
        "status": "completed",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "lastUpdatedAt": "2026-01-01T00:00:07.000Z",
        "ttlMs": 30 * DAY + 7_000,
        "result": {"content": []},
    }


def test_a_failed_run_is_a_completed_task_whose_result_tells_of_it() -> None:
    failed = execution(ExecutionStatus.FAILED, completed_at=CREATED + 1)

    seen = state(failed, result=RESULT)

    assert (seen["status"], seen["result"]) == ("completed", RESULT)


@pytest.mark.parametrize(
    ("status", "shown", "sentence"),
    [
        (ExecutionStatus.CANCEL_REQUESTED, "working", "The run is being cancelled."),
        (ExecutionStatus.CANCELLED, "cancelled", "The run was cancelled."),
    ],
)
def test_a_cancel_is_told(status: ExecutionStatus, shown: str, sentence: str) -> None:
    seen = state(execution(status))

    assert (seen["status"], seen["statusMessage"]) == (shown, sentence)
    assert "result" not in seen


def test_nodes_are_counted_and_their_times_are_changes() -> None:
    nodes = (
        node(NodeStatus.COMPLETED, CREATED + 10, 90),
        node(NodeStatus.SKIPPED),
        node(NodeStatus.RUNNING, CREATED + 50),
        node(NodeStatus.PENDING),
    )

    seen = state(execution(nodes=nodes))

    assert seen["statusMessage"] == "2 of 4 nodes have ended, 1 run."
    assert seen["lastUpdatedAt"] == "2026-01-01T00:00:00.100Z"


def test_an_approval_is_told_with_its_link_where_there_is_one() -> None:
    plain, linked = wait(title="Refund 7?"), wait(title="Refund 7?", url="https://h/approvals/x")

    without, shown = (state(execution(), waits=[each]) for each in (plain, linked))

    sentence = "Waits for an answer to 'Refund 7?' until 2026-01-08T00:00:00.000Z"
    assert (without["status"], without["statusMessage"]) == ("working", f"{sentence}.")
    assert shown["statusMessage"] == f"{sentence} at https://h/approvals/x."
    assert without["pollIntervalMs"] == SLOWEST_POLL_MS


def test_a_delay_is_told_with_its_time() -> None:
    seen = state(execution(), waits=[wait(WaitKind.DELAY)])

    assert seen["statusMessage"] == "Waits until 2026-01-08T00:00:00.000Z."
    assert seen["pollIntervalMs"] == 250


@pytest.mark.parametrize(
    ("age", "pause"),
    [(0, 250), (1_999, 250), (2_000, 1_000), (30_000, 2_000), (300_000, SLOWEST_POLL_MS)],
)
def test_polls_of_older_runs_are_rarer(age: int, pause: int) -> None:
    assert state(execution(), now=CREATED + age)["pollIntervalMs"] == pause


def test_the_time_to_live_of_a_run_grows_while_it_goes_on() -> None:
    assert state(execution(), now=CREATED + DAY)["ttlMs"] == 31 * DAY
    assert state(execution(), now=CREATED - 1_000)["ttlMs"] == 30 * DAY  # clocks differ
