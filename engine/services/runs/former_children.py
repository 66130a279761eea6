"""Children of a failed execution, with which the children of its retry begin."""

from collections.abc import Mapping
from dataclasses import replace

from engine.errors import ExecutionNotFound, ExecutionNotRetryable, Unavailable
from engine.executions.item_errors import ItemError
from engine.executions.statuses import TERMINAL, ExecutionStatus, parse_status
from engine.graph.body_paths import BODY, parse_path
from engine.graph.plan_digest import is_plan_of
from engine.ids.executions import child_execution_id
from engine.nodes.agents.loop import MONEY
from engine.process.lru_cache import LruCache
from engine.services.media import MediaService
from engine.services.runs.agents.archived_children import replayable_error
from engine.services.runs.agents.targets import is_tool_call
from engine.services.runs.child_plans import ChildPlan
from engine.services.runs.retries import FailedExecution, RetryPreparation
from engine.store import NewRun, Store
from engine.store.children.records import Group
from engine.store.executions.record_fields import has_all_outputs
from engine.store.executions.start import Start
from engine.store.formats import Format

MOST_RETRIES = 10
"""Retries in a row of which children are found."""
FORMERS_KNOWN = 1_000


class KeptFailure(Exception):
    """The former child failed, and its failure is kept: the new child does not begin."""

    def __init__(self, error: ItemError) -> None:
        super().__init__()
        self.error = error


class FormerChildren:
    """Finds the state in which the children of a retry begin.

    A completed child is kept: all nodes but its output are settled, so it ends at once and costs
    nothing. One that failed or was cancelled goes on with the nodes that have not completed. The
    failure of an agent's tool call is kept too: the model has gone on from it, and would ask for
    other calls after another result.
    """

    def __init__(self, store: Store, media_service: MediaService) -> None:
        self._store = store
        self._media_service = media_service
        self._formers: LruCache[tuple[str, str], str] = LruCache(FORMERS_KNOWN)

    async def find_start(
        self, group: Group, index: int, run: NewRun, found: ChildPlan, packed_inputs: bytes
    ) -> Start | None:
        """Return the start of a child; None: it begins anew, as its inputs have changed, or as the
        former child never began, or its values are not there any more.
        It is asked again about a former child that has not ended yet: its nodes may complete.

        Raises KeptFailure, StorageFailed or Unavailable.
        """
        account_id = group.ref.account_id
        former_id, record = await self._find(group, index)
        if not record or not has_all_outputs(record) or not Format.EXECUTION.knows(record):
            return None
        if parse_status(record["status"].decode()) not in TERMINAL:
            raise Unavailable("A child of the failed run is still being cancelled")
        target = group.target
        if record["slug"].decode() != target.slug or int(record["version"]) != target.version:
            return None
        if parse_path(record.get(BODY)) != target.body:
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
            if group.grows and is_tool_call(target):
                await self._check_failure(account_id, former_id)
            start = await RetryPreparation(former, found.plan, "").make_start(run, inputs.values)
        except (ExecutionNotFound, ExecutionNotRetryable):
            return None
        fields = {**start.fields, "retry_of": former_id}
        return replace(start, fields=fields, retry=None, slug=target.slug)

    async def _check_failure(self, account_id: str, former_id: str) -> None:
        """Raise KeptFailure for a former child that failed, unless it was for want of credits."""
        former = await self._store.executions.get(account_id, former_id)
        error = replayable_error(former.error)
        is_failed = former.status is ExecutionStatus.FAILED
        if is_failed and error is not None and error["code"] not in MONEY:
            raise KeptFailure(error)

    async def _find(self, group: Group, index: int) -> tuple[str, Mapping[str, bytes]]:
        """Return id and record of the last former child with this index; empty without one.

        A retry that has failed may not have come to each item: its own former run may have.
        """
        account_id, parent_id = group.ref.account_id, group.former
        for _ in range(MOST_RETRIES):
            child_id = child_execution_id(parent_id, group.node_id, index)
            record = await self._store.executions.record_for_retry(account_id, child_id)
            if record:
                return child_id, record
            parent_id = await self._former_of(account_id, parent_id)
            if not parent_id:
                break
        return "", {}

    async def _former_of(self, account_id: str, execution_id: str) -> str:
        """Return the execution that a failed one has retried; empty: none, or it is gone."""
        place = account_id, execution_id
        known = self._formers.get(place)
        if known is None:
            try:
                known = (await self._store.executions.get(account_id, execution_id)).retry_of or ""
            except ExecutionNotFound:
                known = ""
            self._formers.put(place, known)
        return known
