"""Drafts: checked like a save, and saved whatever is wrong with their graph."""

from collections.abc import Collection

from engine.graph.document import Document
from engine.services.save_workflow import check_cover, find_problems, hold_media
from engine.store import Draft, Store


async def save_draft(
    store: Store,
    account_id: str,
    slug: str,
    document: Document,
    expected: Collection[int] | None,
    *,
    allow_private: bool,
) -> Draft:
    """Write the draft of an own workflow; its problems are those of the graph as it is now.

    Raises InvalidBody for a cover that is no asset of the account, WorkflowNotFound,
    RevisionConflict and QuotaExceeded.
    """
    await check_cover(store, account_id, document.cover)
    problems = await find_problems(store, account_id, document, allow_private=allow_private)
    draft = await store.drafts.write(account_id, slug, document, problems, expected)
    await hold_media(store, draft)
    return draft
