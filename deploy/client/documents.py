"""Workflow documents in the store itself, with the checks of the API."""

from collections.abc import Mapping
from typing import Any

from deploy.output_rows import whole_workflow, workflow_row
from engine.errors import NotOwner
from engine.graph.document import parse_document
from engine.services.save_workflow import check_document, hold_media
from engine.store import Store, Workflow


class StoreWorkflows:
    """Workflows of an account, on a machine that reaches the Redis of the stack."""

    def __init__(self, store: Store, account_id: str, *, allow_private: bool = False) -> None:
        self._store = store
        self._account_id = account_id
        self._allow_private = allow_private

    async def own(self) -> list[dict[str, Any]]:
        """Return all of them, by name."""
        found = await self._store.workflows.list(self._account_id)
        return [workflow_row(workflow) for workflow in found]

    async def get(self, slug: str) -> dict[str, Any]:
        """Return one whole document."""
        return whole_workflow(await self._own(slug))

    async def save(self, body: Mapping[str, Any], slug: str | None) -> dict[str, Any]:
        """Save a new workflow, or the next version of `slug`."""
        former = None if slug is None else await self._own(slug)
        return workflow_row(
            await save_workflow(
                self._store, self._account_id, body, former, allow_private=self._allow_private
            )
        )

    async def delete(self, slug: str) -> None:
        """Delete one."""
        await self._own(slug)
        await self._store.workflows.delete(self._account_id, slug)

    async def _own(self, slug: str) -> Workflow:
        workflow = await self._store.workflows.get_readable(self._account_id, slug)
        if workflow.account_id != self._account_id:
            raise NotOwner
        return workflow


async def save_workflow(
    store: Store,
    account_id: str,
    body: Mapping[str, Any],
    former: Workflow | None = None,
    *,
    allow_private: bool = False,
) -> Workflow:
    """Check a document and save it: as a new workflow, or as the next version of `former`."""
    before = None if former is None else former.document
    document = parse_document(body, before)
    problems = await check_document(
        store, account_id, document, allow_private=allow_private, former=before
    )
    if former is None:
        workflow = await store.workflows.create(account_id, document, problems)
    else:
        workflow = await store.workflows.update(
            account_id, former.slug, document, problems, former.version
        )
    await hold_media(store, workflow)
    return workflow
