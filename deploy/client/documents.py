"""Workflow documents in the store itself, with the checks of the API."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from deploy.output_rows import listed_row, whole_workflow, workflow_row
from engine.graph.document import is_draft
from engine.services.drafts import merge_draft
from engine.services.publish import create_workflow, update_workflow
from engine.store import Store, Workflow


class StoreWorkflows:
    """Workflows of an account, on a machine that reaches the Redis of the stack."""

    def __init__(self, store: Store, account_id: str, *, allow_private: bool = False) -> None:
        self._store = store
        self._account_id = account_id
        self._allow_private = allow_private

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
            await save_workflow(
                self._store, self._account_id, body, slug, allow_private=self._allow_private
            )
        )

    async def delete(self, slug: str) -> None:
        """Delete one."""
        await self._own(slug)
        await self._store.workflows.delete(self._account_id, slug)

    async def _own(self, slug: str) -> Workflow:
        return await self._store.workflows.get_own(self._account_id, slug)


async def save_workflow(
    store: Store,
    account_id: str,
    body: Mapping[str, Any],
    slug: str | None = None,
    *,
    allow_private: bool = False,
) -> Workflow:
    """Save a document as the API does: as a new workflow, or into the workflow of `slug`."""
    if slug is None:
        return await create_workflow(store, account_id, body, allow_private=allow_private)
    if not is_draft(body):
        return await update_workflow(store, account_id, slug, body, allow_private=allow_private)
    current = await store.workflows.get_own(account_id, slug)
    # The estimate is not shown, so the account's markup is not looked up.
    await merge_draft(store, current, body, None, markup=Decimal(1), allow_private=allow_private)
    return await store.workflows.get_own(account_id, slug)
