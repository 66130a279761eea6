"""Access to retries: the caller must be able to run the same."""

from engine.services.runs.retries import FailedExecution
from engine.store import Principal
from gateway.auth.principal import check_capability


def check_retry(principal: Principal, failed: FailedExecution) -> None:
    """Raise CapabilityDenied or CapabilityAboveCeiling unless the caller may run the same."""
    if not failed.slug:
        check_capability(principal, "model:run", next(iter(failed.model_ids), None))
        return
    if failed.is_draft:
        check_capability(principal, "workflow:write")
    check_capability(principal, "workflow:run", failed.slug)
