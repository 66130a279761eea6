import pytest

from engine.errors import AssetNotFound
from engine.ids.partitions import partition_of
from engine.media.formats import Facts, MediaKind
from engine.media.ids import make_asset_id
from engine.store import Account, NewBatch, NewItem, Store
from engine.store.media import GIVEN_UP_MS, LEAST_MS, READING_MS, Asset, AssetReview, AssetSource
from engine.store.redis import batch_keys, keyspace
from engine.store.triggers.asset_references import asset_reference
from tests.engine.media.test_links import BAD_IDS
from tests.support.store.records import accept, save
from tests.support.store.redis_contents import contents
from tests.support.triggers.records import save_schedule

FACTS = Facts(content_type="image/png", width=40, height=30)


async def kept(store: Store, account: Account, execution_id: str = "") -> Asset:
    place = await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    return await store.assets.complete(place.asset_id, FACTS, 5, execution_id)


async def let_pass(store: Store, asset: Asset) -> None:
    """Let the asset expire."""
    partition = partition_of(asset.id)
    await store.client.send("ZADD", keyspace.assets_due(partition), "XX", 1, asset.id)


async def test_an_asset_has_the_facts_found_in_its_bytes(store: Store, account: Account) -> None:
    asset = await kept(store, account)

    assert (asset.account_id, asset.medium, asset.bytes) == (account.id, MediaKind.IMAGE, 5)
    assert (asset.width, asset.height, asset.duration_ms) == (40, 30, None)
    assert asset.expires_at - asset.created_at == pytest.approx(30 * 86_400_000, abs=1_000)
    assert await store.assets.get(account.id, asset.id) == asset


async def test_nobody_sees_an_asset_whose_bytes_are_not_stored(
    store: Store, account: Account
) -> None:
    asset_id = (await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)).asset_id

    with pytest.raises(AssetNotFound):
        await store.assets.get(account.id, asset_id)
    with pytest.raises(AssetNotFound):
        await store.assets.retain(account.id, asset_id, "x")


@pytest.mark.parametrize("bad", BAD_IDS)
async def test_an_invalid_id_costs_no_command(store: Store, account: Account, bad: str) -> None:
    for asking in (store.assets.find(bad), store.assets.retain(account.id, bad, "x")):
        with pytest.raises(AssetNotFound):
            await asking


async def test_a_foreign_asset_and_none_at_all_are_the_same(store: Store, account: Account) -> None:
    asset = await kept(store, account)

    for asset_id in (asset.id, make_asset_id("another")):
        with pytest.raises(AssetNotFound) as failed:
            await store.assets.get("another", asset_id)
        assert failed.value.message == "Asset not found"
        with pytest.raises(AssetNotFound):
            await store.assets.retain("another", asset_id, "x")


async def test_an_asset_goes_when_its_time_is_over_and_not_before(
    store: Store, account: Account
) -> None:
    asset = await kept(store, account)
    assert await store.assets.due(await store.leases.now(), 10) == []
    assert await store.assets.review(asset.id) is AssetReview.EARLY
    await let_pass(store, asset)
    assert await store.assets.due(await store.leases.now(), 10) == [asset.id]

    assert await store.assets.review(asset.id) is AssetReview.HIDDEN
    with pytest.raises(AssetNotFound):
        await store.assets.get(account.id, asset.id)
    assert await store.assets.review(asset.id) is AssetReview.EARLY  # running readers may continue
    assert await store.assets.due(await store.leases.now() + READING_MS, 10) == [asset.id]
    await let_pass(store, asset)
    assert await store.assets.review(asset.id) is AssetReview.RIPE
    assert await store.assets.review(asset.id) is AssetReview.RIPE  # the worker with this task died
    await store.assets.forget(asset.id)

    assert await store.assets.review(asset.id) is AssetReview.GONE
    assert not [key for key in await contents(store.client) if b"asset" in key]


async def test_an_asset_lives_as_long_as_the_executions_that_need_it(
    store: Store, account: Account
) -> None:
    workflow, plan = await save(store, account)
    execution = await accept(store, account, workflow, plan)
    asset = await kept(store, account)
    await store.assets.retain(account.id, asset.id, execution.id)
    await store.assets.retain(account.id, asset.id, "one that was never accepted")
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.EXTENDED
    assert await store.assets.review(asset.id) is AssetReview.EARLY
    await store.client.send("DEL", keyspace.execution(account.id, execution.id))
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.HIDDEN


async def test_an_asset_lives_as_long_as_a_workflow_that_names_it(
    store: Store, account: Account
) -> None:
    workflow, _ = await save(store, account)
    asset = await kept(store, account)
    await store.assets.retain_for_workflow(account.id, asset.id, workflow.slug)
    await store.assets.retain_for_workflow(account.id, "no id", workflow.slug)
    await store.assets.retain_for_workflow("another", asset.id, workflow.slug)
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.EXTENDED
    await store.client.send("DEL", keyspace.workflow(account.id, workflow.slug))
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.HIDDEN


async def test_an_asset_lives_as_long_as_a_trigger_that_names_it(
    store: Store, account: Account
) -> None:
    trigger, asset = await save_schedule(store, account), await kept(store, account)
    await store.assets.retain(account.id, asset.id, asset_reference(trigger.id))
    await store.assets.retain(account.id, asset.id, asset_reference("trg_000000000000"))
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.EXTENDED
    await store.triggers.delete(trigger)
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.HIDDEN


async def test_an_asset_lives_as_long_as_a_batch_whose_items_need_it(
    store: Store, account: Account
) -> None:
    workflow, _ = await save(store, account)
    new = NewBatch(
        account_id=account.id, slug=workflow.slug, version=1, items=[NewItem({"text": "a"})]
    )
    asset = await kept(store, account)
    await store.assets.retain(account.id, asset.id, batch_keys.asset_reference(new.batch_id))
    await store.batches.add(new)
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.EXTENDED
    await store.client.send("DEL", batch_keys.batch(account.id, new.batch_id))
    await let_pass(store, asset)

    assert await store.assets.review(asset.id) is AssetReview.HIDDEN


async def test_of_very_many_executions_some_are_looked_at_at_once(
    store: Store, account: Account
) -> None:
    asset = await kept(store, account)
    for number in range(1_200):
        await store.assets.retain(account.id, asset.id, f"x{number}")
    await let_pass(store, asset)

    reviews = [await store.assets.review(asset.id) for _ in range(3)]

    assert reviews == [AssetReview.MORE, AssetReview.MORE, AssetReview.HIDDEN]


async def test_an_asset_at_the_end_of_its_time_waits_for_the_execution_that_is_to_have_it(
    store: Store, account: Account
) -> None:
    asset = await kept(store, account)
    partition = partition_of(asset.id)
    soon = await store.leases.now() + 1_000
    await store.client.send("HSET", keyspace.asset(partition, asset.id), "expires", soon)
    await store.client.send("ZADD", keyspace.assets_due(partition), soon, asset.id)

    await store.assets.retain(account.id, asset.id, "about to be accepted")

    assert await store.assets.due(soon + LEAST_MS // 2, 10) == []
    assert (await store.assets.find(asset.id)).expires_at > soon


async def test_bytes_that_do_not_come_are_given_up(store: Store, account: Account) -> None:
    asset_id = (await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)).asset_id
    now = await store.leases.now()
    assert await store.assets.due(now, 10) == []
    assert await store.assets.due(now + GIVEN_UP_MS, 10) == [asset_id]
    await store.assets.abandon_upload(asset_id)

    assert await store.assets.review(asset_id) is AssetReview.HIDDEN
    with pytest.raises(AssetNotFound):
        await store.assets.complete(asset_id, FACTS, 5)
