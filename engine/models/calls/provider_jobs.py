"""Records of jobs at providers: one for each call of a node that submits jobs."""

from typing import Any

from engine.models.dialects.http import JOB, HttpSection
from engine.models.manifest import Model
from engine.models.registry import find_model

ROUND = "round"
"""Member of a record with the number of failed rounds."""
SUBMITTING = "submitting"
"""Member of a record that says that a submit has begun."""


def can_cancel(model: Model | None, record: Any) -> bool:
    """Return whether the recorded job is cancelled when no attempt resumes it.

    The path to cancel must need the job's id alone, since inputs are not on record.
    """
    if model is None or not isinstance(model.call, HttpSection) or model.call.job is None:
        return False
    path = model.call.job.cancel_path
    has_job = isinstance(record, dict) and record.get("id") is not None
    return has_job and path is not None and path.names <= {JOB}


def is_cancellable(record: Any) -> bool:
    """Return whether a record is of a job that is cancelled when no attempt resumes it."""
    name = record.get("model") if isinstance(record, dict) else None
    return isinstance(name, str) and can_cancel(find_model(name), record)


def failed_rounds(record: Any) -> int:
    """Return how many rounds have failed before the recorded one."""
    return int(record.get(ROUND, 0)) if isinstance(record, dict) else 0


def job_for_retry(record: Any) -> dict[str, Any] | None:
    """Return the record with which a retry of the failed execution goes on; None: with none.

    A job that the end of the execution has cancelled counts as a failed round, so that the next
    call has another key. Of a submit without a known outcome nothing is left: the caller has
    decided to run again.
    """
    if not isinstance(record, dict):
        return None
    if is_cancellable(record):
        return {ROUND: failed_rounds(record) + 1}
    return {name: value for name, value in record.items() if name != SUBMITTING} or None
