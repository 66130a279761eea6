"""The store on a cluster of three primaries: what spans accounts spans servers."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from engine.access.capabilities import Tier
from engine.errors import Unavailable
from engine.executions.statuses import ExecutionStatus
from engine.graph.plan import Plan
from engine.graph.plan_digest import plan_digest
from engine.ids.partitions import partition_of
from engine.media.formats import Facts
from engine.models.limits import ModelLimits
from engine.settings import Settings
from engine.store import Account, ExecutionFilter, Store, Workflow
from engine.store.dispatch.hints import InlineRun
from engine.store.executions.advance import Step, UnclaimedWalk
from engine.store.executions.claim import Lease
from engine.store.executions.events import ProgressUpdate
from engine.store.limits.governor import CallOutcome, CallReport
from engine.store.media import AssetReview, AssetSource
from engine.store.redis import keyspace, provider_keys
from engine.store.redis.record_packing import pack
from engine.store.webhooks.delivery_keys import WebhookOwner
from engine.webhooks.deliveries import Attempt, DeliveryStatus
from engine.webhooks.schedule import DeliveryVerdict
from tests.support.eventually import eventually
from tests.support.manifests import manifest
from tests.support.redis.cluster import RedisCluster, running_cluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.records import BOTH_DONE, accept, save
from tests.support.workers.leases import beat


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    """Run three primaries."""
    with running_cluster(3, 0) as started:
        yield started


@pytest.fixture
async def store(cluster: RedisCluster) -> AsyncIterator[Store]:
    store = Store.open(Settings(redis_url=cluster.address(), secret_key=SECRET_KEY))
    yield store
    await store.close()


async def test_a_whole_life_fits_into_slots(store: Store) -> None:
    accounts = [
        await store.accounts.create(email=f"{number}@example.com", tier=Tier.PRO)
        for number in range(4)
    ]
    for account in accounts:
        key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:*"])
        assert (await store.api_keys.authorize(secret)).account == account
        session = await store.sessions.redeem(await store.sessions.create_login(account.id))
        assert (await store.sessions.authorize(session)).account == account
        workflow, plan = await save(store, account)
        ended, left, cancelled = [await accept(store, account, workflow, plan) for _ in range(3)]
        for each in (ended, left):
            assert await store.walks.claim(keyspace.reference(account.id, each.id), "w1", "t")
        told = [ProgressUpdate(index=0, item=0, offset=0, content="a")]
        await store.events.read(account.id, left.id, 1, "channel")
        assert await store.events.publish(Lease(account.id, left.id, "w1", 1, "t"), 1, told)
        step = Step(settled=BOTH_DONE, names_objects=True, end=ExecutionStatus.COMPLETED)
        await store.walks.advance(Lease(account.id, ended.id, "w1", 1, "t"), 1, step)
        await store.walks.give_back(keyspace.reference(account.id, left.id), "w1", is_lost=True)
        await store.executions.cancel(account.id, cancelled.id)
        await finish(store, account, workflow, plan)
        rows, _ = await store.executions.list(account.id)
        assert len(rows) == 4
        wanted = ExecutionFilter(statuses=[ExecutionStatus.COMPLETED])
        used = await store.usage.page(account.id, wanted, limit=10, offset=0)
        assert ended.id in [row.id for row in used.rows]
        assert len(used.rows) == 2
        await deliver(store, account, workflow, plan)
        await use_media(store, account, workflow)
        await store.workflows.delete(account.id, workflow.slug)
        assert not await store.versions.prune()
        assert await store.api_keys.list(account.id) == [key]
        await store.api_keys.revoke(key.id)

    await beat(store, "w1", 0)
    await beat(store, "w2", 60_000, ["A_KEY"])
    assert await store.leases.variables() == [{"A_KEY"}]
    await store.leases.resign("w2")
    lead = await store.leases.take_lead("w1", 1_000)
    assert lead.is_own
    await store.leases.shorten(1_000)
    assert len((await store.leases.promote(1_000)).references) == len(accounts)
    pruned = await store.leases.prune(await store.leases.now() + 1)
    assert pruned.executions == 5 * len(accounts)
    assert await eventually(store.leases.dead_workers) == ["w1"]
    assert await store.leases.remove_dead("w1")
    await asyncio.gather(store.snapshots.put("p1", []), store.snapshots.put("p2", []))
    assert await store.snapshots.retire(b"", [], {"p1": 1})
    await store.models.create("own", manifest(), account.id)
    await store.models.delete("own", account.id)
    asked = CallReport(kind=CallOutcome.ASK, call_id="a", account_id=accounts[0].id)
    turns = await store.governor.turn(
        "p", provider_keys.turns("w1"), ModelLimits(concurrency=1), [asked]
    )
    assert turns.granted == ["a"]


async def use_media(store: Store, account: Account, workflow: Workflow) -> None:
    asset_ids = [
        (await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)).asset_id for _ in "ab"
    ]
    for asset_id in asset_ids:
        await store.assets.complete(asset_id, Facts(content_type="image/png"), 5)
    deleted, needed = asset_ids
    await store.assets.retain_for_workflow(account.id, needed, workflow.slug)
    await store.assets.delete(account.id, deleted)
    due = keyspace.assets_due(partition_of(account.id))
    for asset_id in asset_ids:
        await store.client.send("ZADD", due, "XX", 1, asset_id)
    reviews = [await store.assets.review(asset_id) for asset_id in asset_ids]
    assert reviews == [AssetReview.RIPE, AssetReview.EXTENDED]
    await store.assets.forget(deleted)
    page = await store.assets.page(account.id, limit=5)
    assert ([asset.id for asset in page.assets], page.stored) == ([needed], 5)


async def finish(store: Store, account: Account, workflow: Workflow, plan: Plan) -> None:
    """End an execution without a claim."""
    accepted = await accept(store, account, workflow, plan)
    finished = UnclaimedWalk(
        inline_run=InlineRun(slug=workflow.slug, version=workflow.version, inputs=pack({})),
        codes="cc",
        rows=pack([]),
        result=pack(None),
        elapsed_ms=0,
        plan=plan_digest(plan),
    )
    reference = keyspace.reference(account.id, accepted.id)
    answer = await store.walks.finish(reference, "t", finished)
    assert store.walks.take_finished(reference, answer) is not None


async def deliver(store: Store, account: Account, workflow: Workflow, plan: Plan) -> None:
    """End two executions with a webhook, one by a walker and one by a cancel."""
    key, _ = await store.api_keys.create(account, name="k", capabilities=["webhook:receive"])
    webhook = await store.webhooks.save(account.id, key.id, url="https://example.com")
    ids = []
    for _ in range(2):
        options = {"key_id": key.id, "webhook_url": webhook.url}
        accepted = await accept(store, account, workflow, plan, **options)
        ids.append(accepted.id)
    reference = keyspace.reference(account.id, ids[0])
    await store.walks.claim(reference, "w1", "t")
    step = Step(settled=BOTH_DONE, end=ExecutionStatus.COMPLETED, webhook=WebhookOwner(key.id))
    await store.walks.advance(Lease(account.id, ids[0], "w1", 1, "t"), 1, step)
    await store.executions.cancel(account.id, ids[1])
    await store.deliveries.add_test(account.id, key.id, webhook)
    receiver = await store.deliveries.find_receiver(reference)
    assert receiver is not None
    claimed = await store.deliveries.claim(reference, receiver)
    assert claimed is not None
    judgement = DeliveryVerdict(status=DeliveryStatus.FAILED)
    await store.deliveries.settle(claimed, Attempt(at=1), judgement)
    await store.deliveries.redeliver(account.id, key.id, ids[0])
    rows, _ = await store.deliveries.list(account.id, key.id, limit=10)
    assert len(rows) == 3
    await store.api_keys.revoke(key.id)


async def test_keys_of_two_slots_would_be_refused(store: Store) -> None:
    with pytest.raises(Unavailable) as caught:
        await store.client.send("UNLINK", keyspace.due(1), keyspace.due(2))

    assert caught.value.word == "CROSSSLOT"
