"""A publish that requires tests: all of them, as they are now, on this very draft."""

import pytest

from engine.errors import WorkflowTestsFailed
from engine.services.workflow_tests.required_tests import require_tests
from engine.store import Account, Draft, Store
from engine.store.workflows.workflow_test_records import DraftVerdict, WorkflowTest
from tests.support.store.records import document, save

GREETS = WorkflowTest(expect=("true",))


@pytest.fixture
async def draft(store: Store, account: Account) -> Draft:
    await save(store, account)
    return await store.drafts.write(account.id, "echo", document(text="new"), [])


async def ran(store: Store, draft: Draft, *, at: int = 1_000, failed: int = 0) -> None:
    """Record a run of all tests on a draft."""
    ids = draft.account_id, draft.slug
    tests, revision = await store.workflow_tests.read(*ids)
    verdict = DraftVerdict(
        at=at,
        draft_revision=draft.revision,
        tests_revision=revision,
        failed=failed,
        total=len(tests),
        test_run_id="run",
    )
    await store.workflow_tests.record_run(*ids, at, [], verdict)


async def test_tests_that_passed_on_the_draft_let_it_pass(store: Store, draft: Draft) -> None:
    await store.workflow_tests.write(draft.account_id, draft.slug, {"greets": GREETS})
    await ran(store, draft)

    await require_tests(store, draft)


async def refusal(store: Store, draft: Draft) -> tuple[str, str | None]:
    with pytest.raises(WorkflowTestsFailed) as refused:
        await require_tests(store, draft)
    return refused.value.message, refused.value.context["testRunId"]


async def test_each_reason_is_said(store: Store, draft: Draft, account: Account) -> None:
    write = store.workflow_tests.write
    start = "This draft is not published: "
    assert await refusal(store, draft) == (f"{start}the workflow has no tests", None)
    await write(account.id, "echo", {"greets": GREETS})
    assert await refusal(store, draft) == (f"{start}its tests have never run on a draft", None)
    await ran(store, draft, failed=1)
    assert await refusal(store, draft) == (f"{start}1 of 1 tests did not pass", "run")

    await ran(store, draft, at=2_000)
    changed = await store.drafts.write(account.id, "echo", document(text="newer"), [])
    reason = f"{start}its tests have not run since it was changed"
    assert await refusal(store, changed) == (reason, "run")
    await write(account.id, "echo", {"another": GREETS})
    reason = f"{start}its tests were changed since they ran"
    assert await refusal(store, draft) == (reason, "run")
