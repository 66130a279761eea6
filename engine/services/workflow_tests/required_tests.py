"""Tests that a publish requires: all must have passed on the very draft."""

from engine.errors import WorkflowTestsFailed
from engine.store import Draft, Store


async def require_tests(store: Store, draft: Draft) -> None:
    """Raise WorkflowTestsFailed unless all tests as they are now have passed on this draft."""
    ids = draft.account_id, draft.slug
    tests, revision = await store.workflow_tests.read(*ids)
    verdict = await store.workflow_tests.draft_verdict(*ids)
    if not tests:
        raise WorkflowTestsFailed("the workflow has no tests")
    if verdict is None:
        raise WorkflowTestsFailed("its tests have never run on a draft")
    reason = None
    if verdict.draft_revision != draft.revision:
        reason = "its tests have not run since it was changed"
    elif verdict.tests_revision != revision:
        reason = "its tests were changed since they ran"
    elif verdict.failed:
        reason = f"{verdict.failed} of {verdict.total} tests did not pass"
    if reason is not None:
        raise WorkflowTestsFailed(reason, verdict.test_run_id)
