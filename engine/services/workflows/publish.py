"""Saves that publish at once: of a new workflow, or of the next version of one."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import InvalidGraph, RevisionConflict, VersionConflict
from engine.graph.document import Document, is_draft, parse_document
from engine.services.workflows.drafts import begin_draft, carry_visibility
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.public_checks import find_public_problems
from engine.services.workflows.save_workflow import check_cover, check_document, finish_save
from engine.store import Store, Workflow

MAX_TRIES = 5
"""Attempts to merge members into a document that others save meanwhile."""


async def create_workflow(
    store: Store, account_id: str, body: Mapping[str, Any], *, checker: GraphChecker
) -> Workflow:
    """Save a new workflow; with `draft: true` one that has only a draft.

    Raises InvalidBody, InvalidGraph and QuotaExceeded.
    """
    document, drafts = parse_document(body), is_draft(body)
    return await save_new(store, account_id, document, drafts=drafts, checker=checker)


async def save_new(
    store: Store, account_id: str, document: Document, *, drafts: bool, checker: GraphChecker
) -> Workflow:
    """Save a document as a new workflow; with `drafts` as one that has only a draft.

    Raises InvalidBody, InvalidGraph and QuotaExceeded.
    """
    if drafts:
        return await begin_draft(store, account_id, document, checker=checker)
    await check_document(store, account_id, document, checker=checker)
    workflow = await store.workflows.create(account_id, document, [])
    await finish_save(store, workflow)
    return workflow


async def update_workflow(
    store: Store,
    account_id: str,
    slug: str,
    body: Mapping[str, Any],
    expected: Collection[int] | None = None,
    *,
    checker: GraphChecker,
) -> Workflow:
    """Save the members that `body` has; without nodes, edges and another choice of recorded values
    no version is made.

    Where the workflow was never published, such a body goes into the draft, unless it says
    `draft: false`; others publish the draft with what they have. Raises InvalidBody, InvalidGraph,
    WorkflowNotFound, NotOwner, QuotaExceeded, and VersionConflict where the version is none of the
    `expected`.
    """
    current = await store.workflows.get_own(account_id, slug)
    for _ in range(MAX_TRIES):
        # A body that cannot be saved is refused as such, whatever version was wanted.
        document = parse_document(body, current.document)
        publishes = _publishes(body, document, current)
        if publishes:
            await check_document(
                store,
                account_id,
                document,
                checker=checker,
                former=current.document,
                slug=slug,
            )
        else:
            await _check_revision(store, current, document)
        if expected is not None and current.version not in expected:
            break
        try:
            workflow = await _write(store, current, document, publishes)
        except (VersionConflict, RevisionConflict):
            current = await store.workflows.get_own(account_id, slug)
            continue
        await finish_save(store, workflow)
        return workflow
    raise VersionConflict(current.version)


async def _check_revision(store: Store, current: Workflow, document: Document) -> None:
    """Check members that change without a new version. Raises InvalidBody and InvalidGraph."""
    account_id, former = current.account_id, current.document
    if document.cover != former.cover:
        await check_cover(store, account_id, document.cover)
    becomes_public = document.public_playground and not former.public_playground
    if current.version and becomes_public:  # a draft is checked when it is published
        problems = await find_public_problems(store, account_id, document, current.slug)
        if problems:
            raise InvalidGraph([problem.as_dict() for problem in problems])


async def _write(store: Store, current: Workflow, document: Document, publishes: bool) -> Workflow:
    account_id, slug = current.account_id, current.slug
    if current.version and publishes:
        return await store.workflows.update(account_id, slug, document, [], current.version)
    if current.version:
        revised = await store.workflows.revise(current, document)
        await carry_visibility(store, current, revised)
        return revised
    draft = await store.drafts.get(account_id, slug)
    if draft.document != current.document:
        raise RevisionConflict(draft.revision)
    if publishes:
        return await store.workflows.publish(replace(draft, document=document), None, 0)
    await store.drafts.write(account_id, slug, document, draft.problems, {draft.revision})
    return await store.workflows.get_own(account_id, slug)


def _publishes(body: Mapping[str, Any], document: Document, current: Workflow) -> bool:
    if "nodes" in body or "edges" in body:
        return True
    if not current.version:
        return "draft" in body
    # No gateway may accept a further run whose values are kept otherwise.
    return document.record_values is not current.document.record_values
