"""Acceptance of runs of public workflows of other accounts."""

import pytest

from engine.access.capabilities import Tier
from engine.errors import GrantExhausted, ModelNotFound, ModelTierRequired, WorkflowNotFound
from engine.store import Account, Store, Workflow
from engine.store.executions.public_runs import hidden_models
from engine.store.redis import keyspace
from engine.store.workflows.versions import PUBLIC_RUN_MS, VERSIONS_KEPT
from tests.support.store.records import NotAccepted, accept, document, save


@pytest.fixture
async def other(store: Store) -> Account:
    return await store.accounts.create(email="eve@example.org", tier=Tier.PRO)


async def run_by(store: Store, other: Account) -> str:
    """Accept a run of the workflow by another account; return the execution's id."""
    workflow, plan = await store.workflows.plan("echo", fresh=True)
    assert plan is not None
    return (await accept(store, other, workflow, plan)).id


async def save_often(store: Store, account: Account, times: int) -> Workflow:
    for number in range(times):
        last = await store.workflows.update(
            account.id, "echo", document(text=f"text {number}"), problems=[]
        )
    return last


async def has_version(store: Store, account: Account, version: int) -> bool:
    key = keyspace.workflow(account.id, "echo")
    return bool(await store.client.send("HEXISTS", key, f"d{version}"))


async def test_the_version_is_kept_while_another_account_may_run_it(
    store: Store, account: Account, other: Account
) -> None:
    await save(store, account)
    execution_id = await run_by(store, other)

    await save_often(store, account, VERSIONS_KEPT + 2)
    await store.versions.prune()

    assert await has_version(store, account, 1)
    claimed = await store.walks.claim(keyspace.reference(other.id, execution_id), "w1")
    assert claimed is not None
    assert (claimed.owner_id, claimed.account_id) == (account.id, other.id)
    assert await store.workflows.plan_of(claimed.owner_id, claimed.slug, claimed.version)


async def test_the_version_goes_when_no_run_can_be_left(
    store: Store, account: Account, other: Account
) -> None:
    await save(store, account)
    await run_by(store, other)
    key = keyspace.workflow(account.id, "echo")
    begun = int(await store.client.send("HGET", key, "p1"))

    await store.client.send("HSET", key, "p1", begun - PUBLIC_RUN_MS - 60_000)
    await save_often(store, account, VERSIONS_KEPT + 2)
    await store.versions.prune()

    assert not await has_version(store, account, 1)
    assert await store.client.send("HEXISTS", key, "p1") == 0


async def test_a_version_that_was_replaced_is_read_anew(
    store: Store, account: Account, other: Account
) -> None:
    workflow, plan = await save(store, account)
    await save_often(store, account, 1)

    with pytest.raises(NotAccepted, match="StaleWorkflow"):
        await accept(store, other, workflow, plan)

    await store.workflows.delete(account.id, "echo")
    with pytest.raises(WorkflowNotFound):
        await accept(store, other, workflow, plan)


def test_errors_do_not_name_models() -> None:
    errors = (
        (ModelTierRequired("photo-pro", "business", "pro"), ModelTierRequired),
        (GrantExhausted("photo-pro"), GrantExhausted),
        (ModelNotFound(), WorkflowNotFound),
    )

    for error, expected in errors:
        with pytest.raises(expected) as raised, hidden_models():
            raise error

        assert "photo-pro" not in f"{raised.value} {raised.value.context}"
