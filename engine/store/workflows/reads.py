"""Reads of workflows from their records."""

from engine.errors import VersionNotFound, WorkflowNotFound
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.workflows.records import Workflow, WorkflowHead, parse_workflow


class WorkflowReads:
    """Reads workflows and their versions; every call names the account that owns them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def current(self, account_id: str, slug: str) -> Workflow:
        """Return the live version, or the draft if there is none."""
        key = keyspace.workflow(account_id, slug)
        head = WorkflowHead(*await self._client.send("HMGET", key, *WorkflowHead._fields))
        if head.is_gone:
            raise WorkflowNotFound
        if head.version is None:
            return await self._read_draft(account_id, slug, head)
        version = int(head.version)
        data = await self._client.send("HGET", key, f"d{version}")
        if data is None:
            raise WorkflowNotFound
        return parse_workflow(account_id, slug, version, data, head)

    async def _read_draft(self, account_id: str, slug: str, head: WorkflowHead) -> Workflow:
        key = keyspace.workflow(account_id, slug)
        data, saved = await self._client.send("HMGET", key, "draft", "draft_saved")
        if data is None:
            raise WorkflowNotFound
        return parse_workflow(account_id, slug, 0, data, head._replace(updated=saved))

    async def version(self, account_id: str, slug: str, version: int) -> Workflow:
        """Return one kept version. Raises WorkflowNotFound or VersionNotFound."""
        head, data = await self._fetch(account_id, slug, version)
        if head.is_gone:
            raise WorkflowNotFound
        if data is None:
            raise VersionNotFound
        return parse_workflow(account_id, slug, version, data, head)

    async def version_of_any(self, account_id: str, slug: str, version: int) -> Workflow:
        """Return one version, of a deleted workflow too. Raises WorkflowNotFound."""
        head, data = await self._fetch(account_id, slug, version)
        if head.state is None or data is None:
            raise WorkflowNotFound
        return parse_workflow(account_id, slug, version, data, head)

    async def _fetch(
        self, account_id: str, slug: str, version: int
    ) -> tuple[WorkflowHead, bytes | None]:
        key = keyspace.workflow(account_id, slug)
        *head, data = await self._client.send("HMGET", key, *WorkflowHead._fields, f"d{version}")
        return WorkflowHead(*head), data
