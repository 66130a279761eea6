"""Keys that span accounts, with accounts on three primaries."""

from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Role, Tier
from engine.errors import AccountNotFound, LastAdmin, NotFound
from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.accounts.erasure import AccountKeys
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.archive.entries import ArchivedEntries, audit_streams
from engine.store.archive.state import ArchiverStates
from engine.store.executions.advance import Step
from engine.store.executions.claim import Lease
from engine.store.redis import keyspace
from engine.store.redis.cluster.routes import slot_of
from engine.store.redis.info import read_infos, read_memory, read_uptime
from tests.support.manifests import manifest
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.installation import SECRET_KEY, mark_cluster
from tests.support.store.records import BOTH_DONE, accept, document, save


@pytest.fixture
async def store(primaries: RedisCluster) -> AsyncIterator[Store]:
    """A store on empty primaries."""
    with primaries.client() as library:
        library.flushall(target_nodes="primaries")
        mark_cluster(library)
    store = Store.open(Settings(redis_url=primaries.address(), secret_key=SECRET_KEY))
    yield store
    await store.close()


@pytest.fixture
async def accounts(store: Store, primaries: RedisCluster) -> list[Account]:
    """An account on each primary."""
    found: dict[int, Account] = {}
    while len(found) < 3:
        account = await store.accounts.create(email=f"{len(found)}@example.com", tier=Tier.PRO)
        shard = primaries.shard_of(slot_of(keyspace.wallet(account.id)))
        if shard in found:
            await AccountKeys(store.client, store.audit, store.workflows).erase(account.id)
        else:
            found[shard] = account
    return [found[shard] for shard in range(3)]


async def test_accounts_are_listed_and_paged(store: Store, accounts: list[Account]) -> None:
    ids = {each.id for each in accounts}

    assert {each.id for each in await store.accounts.list()} == ids
    first, cursor = await store.accounts.page(limit=2)
    rest, end = await store.accounts.page(limit=2, after=cursor)
    assert {each.id for each in first + rest} == ids
    assert (len(first), end) == (2, None)


async def test_the_last_admin_of_all_primaries_keeps_the_role(
    store: Store, accounts: list[Account]
) -> None:
    first, second, _ = accounts
    for each in (first, second):
        await store.accounts.change(each.id, role=Role.ADMIN)

    await store.accounts.change(first.id, role=Role.USER)
    with pytest.raises(LastAdmin):
        await store.accounts.change(second.id, role=Role.USER)


async def test_keys_and_sessions_are_found_by_their_ids(
    store: Store, accounts: list[Account]
) -> None:
    for account in accounts:
        key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:*"])
        assert (await store.api_keys.get(key.id)).account_id == account.id
        token = await store.sessions.redeem(await store.sessions.create_login(account.id))
        assert (await store.sessions.authorize(token)).account == account
        [listed] = await store.session_list.all(account.id)
        assert await store.session_list.find(listed.id) == listed
        await store.session_list.end(listed.id, account.id)
        assert await store.session_list.all(account.id) == []
        await store.api_keys.revoke(key.id)
        with pytest.raises(NotFound):
            await store.api_keys.get(key.id)
        assert secret


async def test_names_of_workflows_are_unique_and_templates_are_everyones(
    store: Store, accounts: list[Account]
) -> None:
    made = [
        await store.workflows.create(each.id, document("Echo", is_template=True), [])
        for each in accounts
    ]

    assert len({each.slug for each in made}) == 3
    for account in accounts:
        others = await store.workflow_list.templates_of_others(account.id)
        assert {each.slug for each in others} == {
            each.slug for each in made if each.account_id != account.id
        }
        for workflow in made:
            readable = await store.workflows.get_readable(account.id, workflow.slug)
            assert readable.account_id == workflow.account_id


async def test_a_workflow_of_another_primary_is_run(store: Store, accounts: list[Account]) -> None:
    owner, caller, _ = accounts
    await store.workflows.create(owner.id, document("Shared", is_template=True), [])
    workflow, plan = await store.workflows.plan("shared")
    assert plan is not None

    accepted = await accept(store, caller, workflow, plan)

    assert await store.executions.count_active(caller.id) == 1
    assert await store.walks.claim(keyspace.reference(caller.id, accepted.id), "w1", "t")


async def test_acts_of_all_accounts_are_one_log(store: Store, accounts: list[Account]) -> None:
    await store.models.create("own", manifest(), accounts[0].id)
    await store.models.delete("own", accounts[0].id)

    acts, cursor = [], None
    while True:
        page, cursor = await store.audit.page(limit=2, after=cursor)
        acts += [(each.action, each.subject) for each in page]
        if cursor is None:
            break

    assert {("account.create", each.id) for each in accounts} <= set(acts)
    assert {("model.create", "own"), ("model.delete", "own")} <= set(acts)


async def test_ended_executions_of_all_accounts_are_archived(
    store: Store, accounts: list[Account]
) -> None:
    references = []
    for account in accounts:
        workflow, plan = await save(store, account, f"Of {account.email}")
        accepted = await accept(store, account, workflow, plan)
        reference = keyspace.reference(account.id, accepted.id)
        await store.walks.claim(reference, "w1", "t")
        step = Step(settled=BOTH_DONE, end=ExecutionStatus.COMPLETED)
        await store.walks.advance(Lease(account.id, accepted.id, "w1", 1, "t"), 1, step)
        references.append(reference)
    ended = EndedExecutions(store.client)
    states = ArchiverStates(store.client)

    assert (await ended.backlog()).count == 3
    assert sorted(await ended.unarchived(10)) == sorted(references)
    batch = await ended.read(references)
    assert {each.reference for each in batch.records} == set(references)
    await ended.mark_archived(references)
    assert (await ended.backlog()).count == 0
    assert await states.claim_database("db") == "db"
    assert await states.database_id() == "db"
    entries = ArchivedEntries(store.client)
    assert set(await entries.accounts(0, 10)) == {each.id for each in accounts}
    streams = [await entries.audit(each, None) for each in audit_streams()]
    assert sum(len(each.entries) for each in streams) > 0


async def test_an_erased_account_is_on_no_primary(
    store: Store, accounts: list[Account], primaries: RedisCluster
) -> None:
    keys = AccountKeys(store.client, store.audit, store.workflows)
    for account in accounts:
        key, _ = await store.api_keys.create(account, name="k", capabilities=["webhook:receive"])
        webhook = await store.webhooks.save(account.id, key.id, url="https://example.com")
        await store.deliveries.add_test(account.id, key.id, webhook)
        workflow, plan = await save(store, account, f"Of {account.email}")
        accepted = await accept(store, account, workflow, plan)
        await store.executions.cancel(account.id, accepted.id)
    gone = accounts[1].id

    async for page in keys.execution_ids(gone):
        await keys.erase_executions(gone, page)
    for slug in await keys.slugs(gone):
        await keys.erase_workflow(gone, slug)
    for api_key in await store.api_keys.list(gone):
        await keys.erase_webhook(gone, api_key.id)
        await store.api_keys.revoke(api_key.id)
    await keys.erase(gone)

    with pytest.raises(AccountNotFound):
        await store.accounts.get(gone)
    with primaries.client() as library:
        left = {name for name in library.scan_iter(count=1_000) if gone.encode() in name}
    assert left == set()
    assert {each.id for each in await store.accounts.list()} == {accounts[0].id, accounts[2].id}


async def test_facts_are_those_of_the_worst_primary(store: Store, primaries: RedisCluster) -> None:
    limits = [100_000_000, 50_000_000, 0]
    for shard, limit in enumerate(limits):
        primaries.primary(shard).command("CONFIG", "SET", "maxmemory", limit)

    infos = await read_infos(store.client, "server", "memory")
    memory = await read_memory(store.client)

    assert len(infos) == 3
    assert memory.limit == 50_000_000
    assert await read_uptime(store.client) <= min(int(i["uptime_in_seconds"]) + 1 for i in infos)
    for shard in range(3):
        primaries.primary(shard).command("CONFIG", "SET", "maxmemory", 0)


async def test_the_seal_is_where_every_process_looks(store: Store) -> None:
    assert await store.seals.fit()  # writes it
    assert await store.seals.fit()
