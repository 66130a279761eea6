"""Children of a failed execution, with which the children of its retry begin."""

from dataclasses import replace

from engine.errors import ExecutionNotRetryable
from engine.executions.statuses import TERMINAL, parse_status
from engine.graph.plan_digest import is_plan_of
from engine.ids.executions import child_execution_id
from engine.services.media import MediaService
from engine.services.runs.child_plans import ChildPlan
from engine.services.runs.retries import FailedExecution, RetryPreparation
from engine.store import NewRun, Store
from engine.store.children.records import Group
from engine.store.executions.record_fields import has_all_outputs
from engine.store.executions.start import Start
from engine.store.formats import Format


class FormerChildren:
    """Finds the state in which the children of a retry begin.

    A completed child is kept: all nodes but its output are settled, so it ends at once and costs
    nothing. One that failed or was cancelled goes on with the nodes that have not completed.
    """

    def __init__(self, store: Store, media_service: MediaService) -> None:
        self._store = store
        self._media_service = media_service

    async def find_start(
        self, group: Group, index: int, run: NewRun, found: ChildPlan, packed_inputs: bytes
    ) -> Start | None:
        """Return the start of a child; None: it begins anew, as its inputs have changed, or as the
        former child never began, or its values are not there any more.

        Raises StorageFailed or Unavailable.
        """
        former_id = child_execution_id(group.former, group.node_id, index)
        account_id = group.ref.account_id
        record = await self._store.executions.record_for_retry(account_id, former_id)
        if not record or not has_all_outputs(record) or not Format.EXECUTION.knows(record):
            return None
        if parse_status(record["status"].decode()) not in TERMINAL:
            return None
        target = group.target
        if record["slug"].decode() != target.slug or int(record["version"]) != target.version:
            return None
        if not is_plan_of(found.plan, record):
            return None
        former = FailedExecution(
            store=self._store,
            media_service=self._media_service,
            account_id=account_id,
            id=former_id,
            record=record,
        )
        try:
            inputs = await former.read_inputs()
            if inputs.packed != packed_inputs:
                return None
            start = await RetryPreparation(former, found.plan, "").make_start(run, inputs.values)
        except ExecutionNotRetryable:
            return None
        fields = {**start.fields, "retry_of": former_id}
        return replace(start, fields=fields, retry=None, slug=target.slug)
