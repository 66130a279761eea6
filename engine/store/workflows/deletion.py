"""Deletes of workflows, which are undone within 30 days."""

from engine.errors import WorkflowInUse, WorkflowNotDeleted, WorkflowNotFound
from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.releases.keys import alias_history
from engine.store.workflows.callers import MOST_CALLERS
from engine.store.workflows.versions import UNDO_MS


class WorkflowDeletion:
    """Deletes the records of workflows, and takes deletes back."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def delete(self, account_id: str, slug: str, *, force: bool) -> None:
        """Raises WorkflowNotFound, and WorkflowInUse where others call it, unless `force`."""
        reply = await self._client.call(
            SCRIPTS["delete_workflow"],
            **_names(account_id, slug),
            documents=keyspace.stored_documents(account_id),
            alias_history=alias_history(account_id, slug),
            is_forced="1" if force else None,
            most_callers=MOST_CALLERS,
        )
        match reply:
            case 0:
                raise WorkflowNotFound
            case [b"used", *callers]:
                raise WorkflowInUse(sorted(caller.decode() for caller in callers))

    async def restore(self, account_id: str, slug: str) -> None:
        """Raises WorkflowNotFound, and WorkflowNotDeleted for one that is living."""
        reply = await self._client.call(
            SCRIPTS["restore_workflow"],
            **_names(account_id, slug),
            undo_ms=UNDO_MS,
        )
        match reply:
            case b"living":
                raise WorkflowNotDeleted
            case b"gone":
                raise WorkflowNotFound


def _names(account_id: str, slug: str) -> dict[str, str]:
    """Return the keys and arguments that both scripts take."""
    return {
        "workflow": keyspace.workflow(account_id, slug),
        "account_workflows": keyspace.account_workflows(account_id),
        "workflows_due": keyspace.workflows_due(partition_of(account_id)),
        "workflows_by_time": keyspace.workflows_by_time(account_id),
        "callers": keyspace.workflow_callers(account_id),
        "slug": slug,
        "reference": keyspace.reference(account_id, slug),
    }
