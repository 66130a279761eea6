"""Saving a workflow document for an account, with the checks that the API makes."""

from collections.abc import Mapping
from typing import Any

from engine.documents import parse_document
from engine.saving import check_document, hold_media
from engine.store import Store, Workflow


async def push_workflow(
    store: Store, account_id: str, body: Mapping[str, Any], *, allow_private: bool = False
) -> Workflow:
    """Save the next version of the workflow that `slug` names, or else a new one."""
    mine = {workflow.slug for workflow in await store.workflows.list(account_id)}
    slug = body.get("slug")
    slug = slug if slug in mine else None
    return await save_workflow(store, account_id, body, slug=slug, allow_private=allow_private)


async def save_workflow(
    store: Store,
    account_id: str,
    body: Mapping[str, Any],
    *,
    slug: str | None = None,
    allow_private: bool = False,
) -> Workflow:
    """Check a document and save it: as a new workflow, or as the next version of `slug`."""
    document = parse_document(body)
    problems = await check_document(store, account_id, document, allow_private=allow_private)
    if slug is None:
        workflow = await store.workflows.create(account_id, document, problems)
    else:
        workflow = await store.workflows.update(account_id, slug, document, problems)
    await hold_media(store, workflow)
    return workflow
