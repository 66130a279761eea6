"""Access to retries: the caller must be able to run the same."""

from engine.errors import ExecutionNotFound, ExecutionNotRetryable
from engine.errors.conflicts import BELOW
from engine.services.runs.retries import FailedExecution
from engine.store import Principal
from gateway.auth.principal import check_capability


def check_retry(principal: Principal, failed: FailedExecution) -> None:
    """Raise CapabilityDenied or CapabilityAboveCeiling unless the caller may run the same.

    Raises ExecutionNotRetryable for an execution that a node of another one began, and
    ExecutionNotFound if that runs a public workflow of another account.
    """
    if (root_id := failed.record.get("root")) is not None:
        if "owner" in failed.record:
            raise ExecutionNotFound
        status = failed.record["status"].decode()
        raise ExecutionNotRetryable(status, BELOW, root_id.decode())
    if failed.is_draft:
        check_capability(principal, "workflow:write")
    elif not failed.slug:
        check_capability(principal, "model:run", next(iter(failed.model_ids), None))
        return
    check_capability(principal, "workflow:run", failed.slug or None)
