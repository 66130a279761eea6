"""Runs through the store, without a gateway, with the checks of the API."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from deploy.client.store_caller import StoreCaller, open_store_caller
from deploy.stack.location import Stack
from engine.access.capabilities import Tier
from engine.errors import AccountNotApproved, ApiKeyAccessDenied, CapabilityDenied, WorkflowNotFound
from engine.settings import Settings
from engine.store import Account, Store, Workflow
from tests.support.store.records import document

Open = Callable[..., AbstractAsyncContextManager[StoreCaller]]


@pytest.fixture
async def workflow(store: Store, account: Account) -> Workflow:
    return await store.workflows.create(account.id, document(), [])


@pytest.fixture
def opened(settings: Settings, tmp_path: Path) -> Open:
    """Open a caller on the tests' store, for a key or an account."""
    environ = {
        "HEADRACE_SECRET_KEY": settings.secret_key,
        "HEADRACE_MEDIA_URL": settings.media_url,
    }
    stack = Stack(data_dir=tmp_path, redis_url=settings.redis_url, settings=environ)

    @asynccontextmanager
    async def open(
        key: str | None = None, account_id: str | None = None
    ) -> AsyncIterator[StoreCaller]:
        async with open_store_caller(stack, key=key, account_id=account_id) as caller:
            yield caller

    return open


async def test_an_account_runs_its_workflow_and_is_told_of_unknown_inputs(
    store: Store, account: Account, workflow: Workflow, opened: Open
) -> None:
    async with opened(account_id=account.id) as caller:
        answer = await caller.start(workflow.slug, {"nam": "Bo"})

    execution = await store.executions.get(account.id, answer["executionId"])
    assert (execution.source, execution.workflow_slug) == ("api-workflow", workflow.slug)
    assert "'nam'" in answer["warnings"][0]


async def test_a_key_runs_only_workflows_that_it_names(
    store: Store, account: Account, workflow: Workflow, opened: Open
) -> None:
    _, secret = await store.api_keys.create(
        account, name="one", capabilities=["workflow:other:run"]
    )

    async with opened(key=secret) as caller:
        with pytest.raises(CapabilityDenied):
            await caller.start(workflow.slug, {})


async def test_a_key_of_an_account_whose_tier_has_sunk_runs_nothing(
    store: Store, account: Account, workflow: Workflow, api_key: str, opened: Open
) -> None:
    await store.accounts.set_tier(account.id, Tier.FREE)

    with pytest.raises(ApiKeyAccessDenied):
        async with opened(key=api_key) as caller:
            await caller.start(workflow.slug, {})


async def test_an_account_that_is_not_approved_runs_nothing(store: Store, opened: Open) -> None:
    waiting = await store.accounts.create(email="new@example.com", tier=Tier.PRO, approved=False)
    workflow = await store.workflows.create(waiting.id, document("Waiting"), [])

    async with opened(account_id=waiting.id) as caller:
        with pytest.raises(AccountNotApproved):
            await caller.start(workflow.slug, {})


async def test_a_workflow_of_another_account_is_not_found(
    store: Store, workflow: Workflow, opened: Open
) -> None:
    other = await store.accounts.create(email="other@example.com", tier=Tier.PRO)

    async with opened(account_id=other.id) as caller:
        with pytest.raises(WorkflowNotFound):
            await caller.start(workflow.slug, {})
