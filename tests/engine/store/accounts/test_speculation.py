"""Runs whose calls are authorized and counted by the script that accepts them."""

from typing import Any

import pytest
from msgspec import structs

from engine.access.capabilities import Role, Tier
from engine.graph.plan import Plan
from engine.ids.partitions import partition_of
from engine.store import Account, SpeculativeAuthorization, Store, Workflow
from engine.store.redis import keyspace
from tests.support.store import records
from tests.support.store.authorizations import outdated_authorization
from tests.support.store.frozen_clock import set_clock
from tests.support.store.records import NotAccepted, save

BUCKET = "workflows/run"


@pytest.fixture
async def saved(store: Store, account: Account) -> tuple[Workflow, Plan]:
    return await save(store, account)


@pytest.fixture
async def authorization(store: Store, account: Account) -> SpeculativeAuthorization:
    """The authorization of a known key for its next call."""
    _, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    await store.api_keys.authorize(secret)
    speculative = store.api_keys.authorize_speculatively(secret, BUCKET)
    assert speculative is not None
    return speculative


async def accept(
    store: Store, account: Account, saved: tuple[Workflow, Plan], **options: Any
) -> str:
    accepted = await records.accept(store, account, *saved, {"text": "hi"}, **options)
    return accepted.id


async def test_an_accepted_run_is_authorized_and_counted(
    store: Store,
    account: Account,
    saved: tuple[Workflow, Plan],
    authorization: SpeculativeAuthorization,
) -> None:
    await accept(store, account, saved, authorization=authorization)

    principal, window = await authorization.admitted()
    again = await authorization.admitted()
    assert principal is authorization.principal
    assert window is not None
    assert (window.calls, window.is_refused) == (1, False)
    assert again == (principal, window)


async def test_a_second_acceptance_of_the_call_is_not_counted(
    store: Store,
    account: Account,
    saved: tuple[Workflow, Plan],
    authorization: SpeculativeAuthorization,
) -> None:
    for _ in range(2):
        await accept(store, account, saved, authorization=authorization)

    found = await store.client.send(
        "HGET", keyspace.windows(partition_of(account.id)), f"{account.id}|{BUCKET}"
    )
    assert found.endswith(b":1")


async def test_a_call_that_accepts_nothing_is_authorized_and_counted_by_itself(
    authorization: SpeculativeAuthorization,
) -> None:
    principal, window = await authorization.admitted()

    assert principal == authorization.principal
    assert window is not None
    assert window.calls == 1


async def test_a_run_beyond_the_limit_is_refused_with_its_window(
    store: Store,
    account: Account,
    saved: tuple[Workflow, Plan],
    authorization: SpeculativeAuthorization,
) -> None:
    limit = authorization.principal.terms.runs_per_minute
    now = await store.leases.now()
    ends = (now // 60_000 + 1) * 60_000
    windows = keyspace.windows(partition_of(account.id))
    await store.client.send("HSET", windows, f"{account.id}|{BUCKET}", f"{ends}:{limit}")

    with pytest.raises(NotAccepted, match="AuthorizationRejected"):
        await accept(store, account, saved, authorization=authorization)

    _, window = await authorization.admitted()
    assert window is not None
    assert window.is_refused
    assert await store.executions.count_active(account.id) == 0


async def test_a_run_of_a_key_that_has_expired_meanwhile_is_refused(
    store: Store, account: Account, saved: tuple[Workflow, Plan]
) -> None:
    now = await store.leases.now()
    _, secret = await store.api_keys.create(
        account, name="k", capabilities=["workflow:run"], expires_at=now + 60_000
    )
    await store.api_keys.authorize(secret)
    alive = store.api_keys.authorize_speculatively(secret, BUCKET)
    expired = store.api_keys.authorize_speculatively(secret, BUCKET)
    assert alive is not None
    assert expired is not None
    expired.caller = structs.replace(expired.caller, key_expires_at=now)

    await accept(store, account, saved, authorization=alive)
    with pytest.raises(NotAccepted, match="AuthorizationRejected"):
        await accept(store, account, saved, authorization=expired)

    assert await store.executions.count_active(account.id) == 1


async def test_a_key_is_refused_from_the_very_millisecond_of_its_expiry_on(
    store: Store,
    account: Account,
    saved: tuple[Workflow, Plan],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expiry = await store.leases.now() + 60_000
    _, secret = await store.api_keys.create(
        account, name="k", capabilities=["workflow:run"], expires_at=expiry
    )
    await store.api_keys.authorize(secret)
    just_before, exactly_then = [
        store.api_keys.authorize_speculatively(secret, BUCKET) for _ in range(2)
    ]

    set_clock(store, monkeypatch, "accept_execution", expiry - 1)
    await accept(store, account, saved, authorization=just_before)
    set_clock(store, monkeypatch, "accept_execution", expiry)
    with pytest.raises(NotAccepted, match="AuthorizationRejected"):
        await accept(store, account, saved, authorization=exactly_then)


async def test_a_run_of_an_account_that_has_changed_is_refused(
    store: Store,
    account: Account,
    saved: tuple[Workflow, Plan],
    authorization: SpeculativeAuthorization,
) -> None:
    await store.accounts.set_tier(account.id, Tier.BUSINESS)

    with pytest.raises(NotAccepted, match="AuthorizationRejected"):
        await accept(store, account, saved, authorization=authorization)

    assert await store.executions.count_active(account.id) == 0


async def test_the_runs_of_an_admin_are_not_counted(store: Store) -> None:
    admin = await store.accounts.create(email="a@example.com", tier=Tier.FREE, role=Role.ADMIN)
    _, secret = await store.api_keys.create(admin, name="k", capabilities=["workflow:run"])
    await store.api_keys.authorize(secret)
    authorization = store.api_keys.authorize_speculatively(secret, BUCKET)
    assert authorization is not None

    await accept(store, admin, await save(store, admin), authorization=authorization)

    assert await authorization.admitted() == (authorization.principal, None)
    assert not await store.client.send("EXISTS", keyspace.windows(partition_of(admin.id)))


async def test_an_acceptance_whose_reply_was_lost_is_found_though_its_workflow_is_deleted(
    store: Store, account: Account, saved: tuple[Workflow, Plan]
) -> None:
    execution_id = await accept(store, account, saved)
    await store.workflows.delete(account.id, saved[0].slug)

    assert await accept(store, account, saved, execution_id=execution_id) == execution_id
    assert await store.executions.count_active(account.id) == 1


async def test_a_run_of_a_key_that_was_deleted_is_refused(
    store: Store, account: Account, saved: tuple[Workflow, Plan]
) -> None:
    outdated = await outdated_authorization(store, account)

    with pytest.raises(NotAccepted, match="AuthorizationRejected"):
        await accept(store, account, saved, authorization=outdated)

    assert outdated.is_pending
    assert await store.executions.count_active(account.id) == 0
