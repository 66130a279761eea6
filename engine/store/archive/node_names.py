"""Names of the nodes of ended executions: ids and types, by position."""

from collections.abc import Sequence

from engine.errors import NotFound
from engine.executions.execution import Execution
from engine.graph.body_paths import BODY, body_at, parse_path
from engine.graph.plan import NodeName, unpack_names
from engine.process.lru_cache import LruCache
from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.record_fields import HEAD_FIELDS, parse_head
from engine.store.workflows.workflows import Workflows

VersionKey = tuple[str, str, int, tuple[str, ...], tuple[str, ...]]
"""Account, workflow, version, models, and path to a body."""


class NodeNames:
    """Cache of the names of nodes, by version: most executions are of a few versions."""

    def __init__(self, workflows: Workflows) -> None:
        self._workflows = workflows
        self._known: LruCache[VersionKey, Sequence[NodeName]]
        self._known = LruCache(1_000)

    async def of_execution(self, record: EndedRecord) -> Sequence[NodeName]:
        """Return the names by position; none where the workflow is gone or another account's."""
        values = [record.fields.get(name) for name in HEAD_FIELDS]
        head = parse_head(record.account_id, record.execution_id, values)
        if head.owner_id:
            return ()
        if not head.workflow_version and (head.workflow_slug or "names" in record.fields):
            packed = record.fields.get("names")
            return unpack_names(packed) if packed else ()
        path = parse_path(record.fields.get(BODY))
        slug, version = head.workflow_slug, head.workflow_version
        key = head.account_id, slug, version, head.model_ids, path
        names = self._known.get(key)
        if names is None:
            names = await (self._read_body(head, path) if path else self._read(head))
            self._known.put(key, names)
        return names

    async def _read_body(self, head: Execution, path: Sequence[str]) -> Sequence[NodeName]:
        try:
            _, plan = await self._workflows.plan_of(
                head.account_id, head.workflow_slug, head.workflow_version
            )
        except NotFound:
            return ()
        body = body_at(plan, path)
        return () if body is None else body.names

    async def _read(self, head: Execution) -> Sequence[NodeName]:
        slug, version = head.workflow_slug, head.workflow_version
        try:
            return await self._workflows.node_names(head.account_id, slug, version, head.model_ids)
        except NotFound:
            return ()
