"""Errors of conflicting state, and failed runs."""

from collections.abc import Sequence
from typing import Any

from engine.errors.base import EXECUTION_ID, GRAPH_PROBLEMS, EngineError, name_first


class Conflict(EngineError):
    """The resource's status does not allow the request."""

    code = "CONFLICT"


class ExecutionNotCancellable(Conflict):
    """The execution has already ended; `status` says how.

    One that a node of another execution began is cancelled with its root, `rootId`.
    """

    code = "EXECUTION_NOT_CANCELLABLE"

    def __init__(self, status: str, root_id: str = "") -> None:
        if root_id:
            message = "A node of another execution began it: cancel 'rootId'"
            super().__init__(message, status=status, rootId=root_id)
        else:
            super().__init__(f"The execution has already ended: {status}", status=status)


ExecutionNotCancellable.examples = (
    ExecutionNotCancellable("completed"),
    ExecutionNotCancellable("processing", "00000000-0000-4000-8000-000000000000"),
)


BELOW = "A node of another execution began it, and a retry of 'rootId' runs it again"
"""Reason why a child cannot be retried by itself."""


class ExecutionNotRetryable(Conflict):
    """The execution has not failed, or cannot run again; `reason` says why.

    One that a node of another execution began is retried with its root, `rootId`.
    """

    code = "EXECUTION_NOT_RETRYABLE"

    def __init__(self, status: str, reason: str = "", root_id: str = "") -> None:
        reason = reason or f"The execution has not failed: its status is '{status}'"
        message = f"The execution cannot be retried: {reason}"
        root = {"rootId": root_id} if root_id else {}
        super().__init__(message, status=status, reason=reason, **root)


ExecutionNotRetryable.examples = (
    ExecutionNotRetryable("completed"),
    ExecutionNotRetryable("failed", "The version that it ran is not kept any more"),
    ExecutionNotRetryable("failed", BELOW, "00000000-0000-4000-8000-000000000000"),
)


class ApprovalAnswered(Conflict):
    """The approval has an answer: `decision`, and the time `at`."""

    code = "APPROVAL_ANSWERED"

    def __init__(self, decision: str, at: str) -> None:
        done = "approved" if decision == "approve" else "refused"
        super().__init__(f"It was {done} before, at {at}", decision=decision, at=at)


ApprovalAnswered.examples = (ApprovalAnswered("approve", "2026-03-01T14:30:00.000Z"),)


class BatchNotRetryable(Conflict):
    """The batch goes on, none of its items failed, or they cannot run again; `reason` says why."""

    code = "BATCH_NOT_RETRYABLE"

    def __init__(self, status: str, reason: str) -> None:
        message = f"The batch cannot be retried: {reason}"
        super().__init__(message, status=status, reason=reason)


BatchNotRetryable.examples = (
    BatchNotRetryable("processing", "It has not ended yet"),
    BatchNotRetryable("completed", "None of its items failed"),
)


class DeliveryNotRedeliverable(Conflict):
    """The webhook of one run or batch is forgotten with its secret, once all is delivered."""

    code = "DELIVERY_NOT_REDELIVERABLE"

    def __init__(self) -> None:
        super().__init__(
            "The delivery cannot be sent again: the webhook of its run or batch was forgotten with "
            "its secret when the last of its deliveries had ended"
        )


DeliveryNotRedeliverable.examples = (DeliveryNotRedeliverable(),)


class ExecutionCancelled(Conflict):
    """The execution was cancelled while the caller waited for it."""

    code = "EXECUTION_CANCELLED"

    def __init__(self, execution_id: str) -> None:
        super().__init__("The execution was cancelled", executionId=execution_id)


ExecutionCancelled.examples = (ExecutionCancelled(EXECUTION_ID),)


class WorkflowNotRunnable(Conflict):
    """The workflow was never published, or uses a model that is gone."""

    code = "WORKFLOW_NOT_RUNNABLE"

    def __init__(self, problems: Sequence[dict[str, Any]]) -> None:
        reason = "has problems and cannot run" if problems else "was never published"
        super().__init__(f"This workflow {reason}", problems=list(problems))


WorkflowNotRunnable.examples = (WorkflowNotRunnable(GRAPH_PROBLEMS),)


class WorkflowNotDeleted(Conflict):
    """The workflow is living, so there is no delete to take back."""

    code = "WORKFLOW_NOT_DELETED"

    def __init__(self) -> None:
        super().__init__("This workflow is not deleted")


WorkflowNotDeleted.examples = (WorkflowNotDeleted(),)


class WorkflowInUse(Conflict):
    """Other workflows of the account call this one; `usedBy` has the first 100."""

    code = "WORKFLOW_IN_USE"

    def __init__(self, used_by: Sequence[str]) -> None:
        super().__init__(
            f"This workflow is called by {name_first(used_by)}: delete it all the same with"
            " ?force=true, upon which runs of these fail",
            usedBy=list(used_by),
        )


WorkflowInUse.examples = (WorkflowInUse(["weekly-letter"]),)


class BreakingChange(Conflict):
    """A new version would break callers of the one before; `changes` says how.

    `usedBy` has the first 100 workflows that call it.
    """

    code = "BREAKING_CHANGE"

    def __init__(self, changes: Sequence[str], used_by: Sequence[str] = ()) -> None:
        also = f", among them {name_first(used_by)}" if used_by else ""
        super().__init__(
            f"Publishing this would break callers{also}",
            changes=list(changes),
            usedBy=list(used_by),
        )


BreakingChange.examples = (
    BreakingChange(["The input 'name' is removed or renamed"], ["weekly-letter"]),
)


class LastAdmin(Conflict):
    """The last admin of the installation cannot lose the role."""

    code = "LAST_ADMIN"

    def __init__(self) -> None:
        super().__init__("The last admin cannot lose the role: make another account an admin first")


LastAdmin.examples = (LastAdmin(),)


class IdempotencyKeyInUse(Conflict):
    """The first call with this key has not ended yet."""

    code = "IDEMPOTENCY_KEY_IN_USE"
    retry_after_seconds = 1

    def __init__(self, execution_id: str) -> None:
        super().__init__(
            "The first request with this Idempotency-Key has not ended yet",
            executionId=execution_id,
        )


IdempotencyKeyInUse.examples = (IdempotencyKeyInUse(EXECUTION_ID),)


class IdempotencyKeyReused(EngineError):
    """An earlier call used the key with another body."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body")


IdempotencyKeyReused.examples = (IdempotencyKeyReused(),)


class VersionConflict(EngineError):
    """The saved resource has changed since the caller read it; `version` is the current one."""

    code = "VERSION_CONFLICT"

    def __init__(self, version: int, noun: str = "workflow") -> None:
        super().__init__(f"The {noun} is at version {version} by now", version=version)


VersionConflict.examples = (VersionConflict(4),)


class RevisionConflict(EngineError):
    """The draft was written since the caller read it; `revision` is the current one, 0 for none."""

    code = "VERSION_CONFLICT"

    def __init__(self, revision: int) -> None:
        state = f"The draft is at revision {revision} by now" if revision else "There is no draft"
        super().__init__(state, revision=revision)


RevisionConflict.examples = (RevisionConflict(7),)


class ExecutionFailed(EngineError):
    """A node failed; the context names node, type, reason and execution."""

    code = "EXECUTION_FAILED"


ExecutionFailed.examples = (
    ExecutionFailed(
        "Node 'call' failed: The server answered 502",
        nodeId="call",
        nodeType="httpRequest",
        executionId=EXECUTION_ID,
        nodeCode="http_status",
        reason="The server answered 502",
        retryable=True,
    ),
)


class NoCanary(Conflict):
    """The alias has no canary to promote."""

    code = "NO_CANARY"

    def __init__(self) -> None:
        super().__init__("This alias has no canary")


NoCanary.examples = (NoCanary(),)


class WorkflowTestsFailed(Conflict):
    """No finished test run of this draft has passed whole; `testRunId` names the newest one."""

    code = "TESTS_FAILED"

    def __init__(self, reason: str, test_run_id: str | None = None) -> None:
        super().__init__(f"This draft is not published: {reason}", testRunId=test_run_id)


WorkflowTestsFailed.examples = (
    WorkflowTestsFailed("2 of 5 tests failed", "018bcfe5-6800-7000-8000-000000000002"),
)
