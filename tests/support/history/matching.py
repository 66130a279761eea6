"""Comparison of an execution with a filter in plain Python, for checks of scripts and SQL."""

from engine.executions.execution import Execution
from engine.executions.filter import NONE, ExecutionFilter, Position


def matches(
    wanted: ExecutionFilter,
    execution: Execution,
    key_id: str | None = None,
    request_id: str | None = None,
) -> bool:
    """Return whether an execution, begun with this key by this request, meets all conditions."""
    models = execution.model_ids
    return (
        wanted.fits_row(Position(execution.created_at, execution.id))
        and (not wanted.statuses or execution.status in wanted.statuses)
        and wanted.workflow_slug in (None, execution.workflow_slug)
        and wanted.version in (None, execution.workflow_version)
        and wanted.source in (None, execution.source)
        and wanted.key_id in (None, key_id or NONE)
        and (wanted.model_id is None or wanted.model_id in (models or (NONE,)))
        and wanted.http_request_id in (None, request_id)
        and set(wanted.tags) <= {*execution.tags}
        and wanted.batch_id in (None, execution.batch_id)
        and wanted.trace_id in (None, execution.trace_id)
        and wanted.trigger_id in (None, execution.trigger_id)
        and wanted.error_code in (None, (execution.error or {}).get("code"))
    )
