"""Drafts: checked like a save, and saved despite problems of their graph."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine.errors import (
    BreakingChange,
    DraftNotFound,
    InvalidGraph,
    RevisionConflict,
    VersionConflict,
)
from engine.graph.breaking_changes import breaking_changes
from engine.graph.document import Document, parse_document
from engine.releases.aliases import Canary
from engine.services.workflow_tests.required_tests import require_tests
from engine.services.workflows.check_workflow import WorkflowCheck, check_workflow
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.save_workflow import check_cover, find_problems, finish_save
from engine.store import Draft, Store, Workflow
from engine.store.workflows.drafts import NeverPublished

MAX_TRIES = 5
"""Attempts to publish while others save or write the draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDraft:
    """Written draft, and the check of its graph."""

    draft: Draft
    check: WorkflowCheck


async def save_draft(
    store: Store,
    account_id: str,
    slug: str,
    document: Document,
    expected: Collection[int] | None,
    *,
    markup: Decimal,
    checker: GraphChecker,
) -> SavedDraft:
    """Write the draft of an own workflow, and check its graph; `markup` is for the estimate.

    Raises InvalidBody for a cover that is no asset of the account, WorkflowNotFound,
    RevisionConflict and QuotaExceeded.
    """
    await check_cover(store, account_id, document.cover)
    check = await check_workflow(
        store,
        account_id,
        document.nodes,
        document.edges,
        markup=markup,
        checker=checker,
        slug=slug,
        is_public=document.public_playground,
    )
    problems = [problem.as_dict() for problem in check.problems]
    draft = await store.drafts.write(account_id, slug, document, problems, expected)
    await finish_save(store, draft)
    return SavedDraft(draft=draft, check=check)


async def merge_draft(
    store: Store,
    workflow: Workflow,
    body: Mapping[str, Any],
    expected: Collection[int] | None,
    *,
    markup: Decimal,
    checker: GraphChecker,
) -> SavedDraft:
    """Write the members that `body` has into the draft, or a new one of the published document.

    Raises InvalidBody, WorkflowNotFound, RevisionConflict and QuotaExceeded.
    """
    for turn in range(MAX_TRIES):
        try:
            former = await store.drafts.get(workflow.account_id, workflow.slug)
            revision, base = former.revision, former.document
        except DraftNotFound:
            revision, base = 0, workflow.document
        if expected is not None and revision not in expected:
            raise RevisionConflict(revision)
        try:
            return await save_draft(
                store,
                workflow.account_id,
                workflow.slug,
                parse_document(body, base),
                {revision},
                markup=markup,
                checker=checker,
            )
        except RevisionConflict:
            if turn == MAX_TRIES - 1:
                raise
    raise AssertionError("the last turn returns or raises")


async def carry_visibility(store: Store, former: Workflow, current: Workflow) -> None:
    """Copy a change of the workflow's visibility into its draft.

    Else publishing it later would show a workflow again that was made private meanwhile.
    Raises QuotaExceeded, and RevisionConflict while others write the draft again and again.
    """
    before, after = former.document, current.document
    changes = {
        name: getattr(after, name)
        for name in ("public_playground", "is_template")
        if getattr(after, name) != getattr(before, name)
    }
    if not changes:
        return
    for turn in range(MAX_TRIES):
        try:
            draft = await store.drafts.get(current.account_id, current.slug)
            document = replace(draft.document, **changes)
            if document != draft.document:
                await store.drafts.write(
                    *(current.account_id, current.slug, document),
                    draft.problems,
                    {draft.revision},
                )
        except RevisionConflict:
            if turn == MAX_TRIES - 1:
                raise
            continue
        except DraftNotFound:
            return
        return


async def begin_draft(
    store: Store, account_id: str, document: Document, *, checker: GraphChecker
) -> Workflow:
    """Save a new workflow that has only a draft. Raises InvalidBody and QuotaExceeded."""
    await check_cover(store, account_id, document.cover)
    problems = await find_problems(store, account_id, document, checker=checker)
    workflow = await store.workflows.create_draft(account_id, document, problems)
    await finish_save(store, workflow)
    return workflow


async def discard_draft(
    store: Store, account_id: str, slug: str, expected: Collection[int] | None
) -> None:
    """Discard the draft; a workflow that was never published is deleted with it.

    Raises WorkflowNotFound, DraftNotFound and RevisionConflict.
    """
    try:
        await store.drafts.discard(account_id, slug, expected)
    except NeverPublished:
        await store.workflows.delete(account_id, slug, force=True)
    else:
        await store.account_events.record_workflow(account_id, slug)


async def publish_draft(
    store: Store,
    account_id: str,
    slug: str,
    *,
    note: str | None,
    force: bool,
    needs_tests: bool = False,
    canary: Canary | None = None,
    expected: Collection[int] | None = None,
    checker: GraphChecker,
) -> Workflow:
    """Publish the draft of an own workflow, whose problems are looked for once more.

    With `canary`, its rule, it becomes the canary of the live version.

    Raises WorkflowNotFound, DraftNotFound, RevisionConflict where the draft is at none of the
    `expected` revisions, InvalidGraph, QuotaExceeded, BreakingChange unless `force`, with
    `needs_tests` WorkflowTestsFailed, and InvalidBody for a canary without a live version.
    """
    for turn in range(MAX_TRIES):
        live = await store.workflows.get(slug)
        draft = await store.drafts.get(account_id, slug)
        if expected is not None and draft.revision not in expected:
            raise RevisionConflict(draft.revision)
        await check_cover(store, account_id, draft.document.cover)
        problems = await find_problems(
            store, account_id, draft.document, checker=checker, slug=slug
        )
        if problems:
            raise InvalidGraph(problems)
        changes = breaking_changes(live.document, draft.document) if live.version else []
        if changes and not force:
            raise BreakingChange(changes, await store.workflow_callers.of_live(account_id, slug))
        if needs_tests:
            await require_tests(store, draft)
        try:
            workflow = await store.workflows.publish(draft, note, live.version, canary)
        except (VersionConflict, RevisionConflict):
            if turn == MAX_TRIES - 1:
                raise
            continue
        await finish_save(store, workflow)
        return workflow
    raise AssertionError("the last turn returns or raises")
