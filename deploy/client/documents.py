"""Workflow documents in the store itself, with the checks of the API."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from deploy.client.workflows import MOST_ROWS
from deploy.output_rows import draft_document, listed_row, version_row, whole_workflow, workflow_row
from engine.errors import DraftNotFound
from engine.graph.document import is_draft
from engine.services.workflows.drafts import merge_draft, publish_draft
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.publish import create_workflow, update_workflow
from engine.services.workflows.restore_version import restore_version
from engine.store import Store, Workflow


class StoreWorkflows:
    """Workflows of an account, on a machine that reaches the Redis of the stack."""

    def __init__(self, store: Store, account_id: str, checker: GraphChecker) -> None:
        self._store = store
        self._account_id = account_id
        self._checker = checker

    async def own(self) -> list[dict[str, Any]]:
        """Return all of them."""
        found = await self._store.workflow_list.own(self._account_id)
        return [listed_row(workflow) for workflow in found]

    async def get(self, slug: str) -> dict[str, Any]:
        """Return one whole document."""
        return whole_workflow(await self._own(slug))

    async def save(self, body: Mapping[str, Any], slug: str | None) -> dict[str, Any]:
        """Save a new workflow, or the next version of `slug`."""
        return workflow_row(
            await save_workflow(self._store, self._account_id, body, slug, checker=self._checker)
        )

    async def delete(self, slug: str) -> None:
        """Delete one."""
        await self._own(slug)
        await self._store.workflows.delete(self._account_id, slug)

    async def draft(self, slug: str) -> dict[str, Any] | None:
        """Return the draft's document with its `revision`, None without one."""
        await self._own(slug)
        try:
            return draft_document(await self._store.drafts.get(self._account_id, slug))
        except DraftNotFound:
            return None

    async def publish(
        self, slug: str, revision: int, note: str | None, *, force: bool
    ) -> dict[str, Any]:
        """Publish this revision of the draft."""
        await self._own(slug)
        published = await publish_draft(
            *(self._store, self._account_id, slug),
            note=note,
            force=force,
            expected={revision},
            checker=self._checker,
        )
        return workflow_row(published)

    async def versions(self, slug: str) -> list[dict[str, Any]]:
        """Return the kept versions, newest first."""
        await self._own(slug)
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self._store.versions.page(
                self._account_id, slug, limit=MOST_ROWS, cursor=cursor
            )
            rows += [version_row(each) for each in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                return rows

    async def restore(self, slug: str, version: int) -> dict[str, Any]:
        """Publish a version as a new one."""
        await self._own(slug)
        return workflow_row(
            await restore_version(
                *(self._store, self._account_id, slug, version),
                checker=self._checker,
            )
        )

    async def _own(self, slug: str) -> Workflow:
        return await self._store.workflows.get_own(self._account_id, slug)


async def save_workflow(
    store: Store,
    account_id: str,
    body: Mapping[str, Any],
    slug: str | None = None,
    *,
    checker: GraphChecker,
) -> Workflow:
    """Save a document as the API does: as a new workflow, or into the workflow of `slug`."""
    if slug is None:
        return await create_workflow(store, account_id, body, checker=checker)
    if not is_draft(body):
        return await update_workflow(store, account_id, slug, body, checker=checker)
    current = await store.workflows.get_own(account_id, slug)
    # The estimate is not shown, so the account's markup is not looked up.
    await merge_draft(store, current, body, None, markup=Decimal(1), checker=checker)
    return await store.workflows.get_own(account_id, slug)
